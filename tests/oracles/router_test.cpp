// SPDX-License-Identifier: Apache-2.0
// Routing by hand, ties, and the invariants of the grouping.
#include "tests/oracles/router.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <stdexcept>

namespace ks::oracle {
namespace {

TEST(Router, ByHand) {
    const double l = std::log(3.0);
    const std::vector<double> logits = {0, l, 0, -1, -1, -1, -5, -4, -l}; // three tokens, three experts
    const Routing r = route_top1(logits, 3, Gate::sigmoid);
    EXPECT_EQ(r.index, (std::vector<int>{1, 0, 2})); // equal logits: the lowest expert
    EXPECT_NEAR(r.gate[0], 0.75, 1e-15);
    EXPECT_NEAR(r.gate[1], 0.268941421369995, 1e-14);
    EXPECT_NEAR(r.gate[2], 0.25, 1e-15);
    const Routing s = route_top1(logits, 3, Gate::softmax);
    EXPECT_EQ(s.index, r.index);
    EXPECT_NEAR(s.gate[0], 3.0 / 5, 1e-15);
    EXPECT_NEAR(s.gate[1], 1.0 / 3, 1e-15);
}

TEST(Router, LargeLogitsStayApart) {
    const Routing r =
        route_top1({50, 51, 800, 799}, 2, Gate::softmax); // sigmoid of both is 1 in any 16-bit type
    EXPECT_EQ(r.index, (std::vector<int>{1, 0}));
    EXPECT_NEAR(r.gate[1], 1 / (1 + std::exp(-1.0)), 1e-15);
}

TEST(Router, NanNeverWins) {
    const double nan = std::nan("");
    EXPECT_EQ(route_top1({nan, -1, -2, nan, nan, nan, -1, nan, 3}, 3, Gate::sigmoid).index,
              (std::vector<int>{1, 0, 2}));
}

TEST(Router, GroupingByHand) {
    const Grouping g = group_by_expert({2, 0, 2, 2, 0}, 4);
    EXPECT_EQ(g.counts, (std::vector<int>{2, 0, 3, 0}));
    EXPECT_EQ(g.offsets, (std::vector<int>{0, 2, 2, 5, 5}));
    EXPECT_EQ(g.permutation, (std::vector<int>{1, 4, 0, 2, 3}));
}

TEST(Router, NoTokens) {
    const Routing r = route_top1({}, 3, Gate::sigmoid);
    EXPECT_TRUE(r.index.empty());
    EXPECT_EQ(r.groups.offsets, (std::vector<int>{0, 0, 0, 0}));
}

TEST(Router, InvariantsOnRandomLogits) {
    const int E = 7, T = 200;
    std::mt19937 engine(11);
    std::normal_distribution<double> value;
    std::vector<double> logits(static_cast<size_t>(T * E));
    for (double &v : logits) v = value(engine);
    const Routing r = route_top1(logits, E, Gate::softmax);
    std::vector<int> sorted = r.groups.permutation, all(T);
    std::sort(sorted.begin(), sorted.end());
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(sorted, all); // every token exactly once
    EXPECT_EQ(std::accumulate(r.groups.counts.begin(), r.groups.counts.end(), 0), T);
    for (size_t e = 0; e < E; e++) {
        EXPECT_EQ(r.groups.offsets[e + 1] - r.groups.offsets[e], r.groups.counts[e]);
        for (int k = r.groups.offsets[e]; k < r.groups.offsets[e + 1]; k++) {
            const int t = r.groups.permutation[static_cast<size_t>(k)];
            EXPECT_EQ(r.index[static_cast<size_t>(t)], static_cast<int>(e));
            if (k > r.groups.offsets[e]) {
                EXPECT_GT(t, r.groups.permutation[static_cast<size_t>(k) - 1]);
            }
        }
    }
    for (double g : r.gate) {
        EXPECT_GE(g, 1.0 / E);
        EXPECT_LT(g, 1.0);
    }
}

TEST(Router, WrongSizesAreRefused) {
    EXPECT_THROW(route_top1({1, 2, 3}, 2, Gate::sigmoid), std::invalid_argument);
    EXPECT_THROW(route_top1({}, 0, Gate::sigmoid), std::invalid_argument);
    EXPECT_THROW(group_by_expert({2}, 2), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
