// SPDX-License-Identifier: Apache-2.0
#include "autotune/measure.h"
#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace ks::tune;

namespace {

// A device with 1 % noise, spikes and drift; candidate i takes base[i].
std::vector<std::vector<double>> samples(const std::vector<double> &base, int rounds, unsigned seed,
                                         double drift = 1.005) {
    std::mt19937 random(seed);
    double now = 1;
    return interleave(base.size(), rounds, [&](size_t i) {
        now *= drift;
        double noise = std::exp(std::normal_distribution<double>(0, 0.01)(random));
        return base[i] * now * noise * (random() % 15 == 0 ? 2 : 1);
    });
}

TEST(Measure, RobustStatistics) {
    EXPECT_EQ(median({3, 1, 2}), 2);
    EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
    EXPECT_TRUE(std::isnan(median({})));
    EXPECT_EQ(deviation({1, 2, 3, 4, 100}), 1);
    EXPECT_DOUBLE_EQ(geometric_mean({1, 4}), 2);
}

TEST(Measure, EveryRoundHasAllAndNobodyAlwaysGoesFirst) {
    std::vector<int> first(3);
    for (int round = 0; round < 12; round++) {
        auto order = round_order(3, round);
        std::vector<size_t> sorted = order;
        std::sort(sorted.begin(), sorted.end());
        EXPECT_EQ(sorted, (std::vector<size_t>{0, 1, 2}));
        first[order[0]]++;
    }
    EXPECT_EQ(first, (std::vector<int>{4, 4, 4}));
}

TEST(Measure, ThreePercentAreSeenThroughNoiseAndDrift) {
    for (unsigned seed = 0; seed < 20; seed++) {
        auto s = samples({1.0, 0.97}, 20, seed);
        Ratio r = ratio(s[1], s[0]);
        EXPECT_TRUE(r.faster()) << seed << ": " << r.low << ".." << r.high;
        EXPECT_NEAR(r.value, 0.97, 0.015);
    }
}

TEST(Measure, EqualsTieInNearlyAllRuns) {
    int ties = 0;
    for (unsigned seed = 0; seed < 100; seed++) {
        auto s = samples({1.0, 1.0}, 20, seed);
        ties += ratio(s[1], s[0]).tie();
    }
    EXPECT_GE(ties, 95);
}

TEST(Measure, FewRoundsProveNothing) {
    EXPECT_TRUE(ratio({1, 1, 1}, {2, 2, 2}).tie());
    EXPECT_FALSE(ratio({1, 1, 1, 1, 1, 1}, {2, 2, 2, 2, 2, 2}).tie());
}

TEST(Measure, IsDeterministic) {
    auto s = samples({1.0, 0.99}, 20, 3);
    Ratio a = ratio(s[1], s[0]), b = ratio(s[1], s[0]);
    EXPECT_EQ(a.low, b.low);
    EXPECT_EQ(a.high, b.high);
}

TEST(Measure, OfThoseThatTieTheSimplerWins) {
    auto s = samples({1.0, 0.8, 0.8, 0.9}, 30, 5);
    Verdict v = decide(s, {0, 3, 1, 1});
    EXPECT_EQ(v.winner, 2u);
    EXPECT_EQ(v.tied, (std::vector<bool>{false, true, true, false}));
    EXPECT_EQ(decide(s, {0, 1, 3, 1}).winner, 1u);
    EXPECT_EQ(decide(s, {0, 2, 2, 1}).winner, 1u); // of equals the first
    auto same = samples({1.0, 1.0}, 30, 5);
    EXPECT_EQ(decide(same, {0, 1}).winner, 0u); // a tie with the default is the default's
}

TEST(Measure, TheBestOfEveryColumnIsAFinalist) {
    // Overall, then at four shapes; each candidate is the best of one shape.
    std::vector<std::vector<double>> scores = {
        {9, 9, 9, 9, 9}, {1, 1, 5, 5, 5}, {2, 5, 1, 5, 5}, {3, 5, 5, 1, 5}, {4, 5, 5, 5, 1}};
    EXPECT_EQ(choose_finalists(scores, 2), (std::vector<size_t>{0, 1, 2, 3, 4}));
    scores = {{9, 9}, {1, 1}, {2, 2}, {3, 3}};
    EXPECT_EQ(choose_finalists(scores, 2), (std::vector<size_t>{0, 1, 2}));
}

} // namespace
