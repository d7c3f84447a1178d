// SPDX-License-Identifier: Apache-2.0
// Top-1 routing against plain loops: argmax with ties and NaN, gates, and the grouping by expert.
#include "tests/oracles/router.h"
#include "tests/support/op_call.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>

namespace ks::test {
namespace {

const double inf = std::numeric_limits<double>::infinity();

OpCall routed(const std::string &gate, const std::string &isa, int experts, const std::vector<double> &logits,
              bool fixed) {
    OpCall call("router", {{"score", gate}},
                {{"T", static_cast<int64_t>(logits.size()) / experts}, {"E", experts}}, isa, fixed);
    call.set("logits", logits);
    EXPECT_EQ(call.run(), "");
    return call;
}

void check(const std::string &gate, const std::string &isa, int tokens, int experts, bool fixed, bool ties) {
    SCOPED_TRACE(testing::Message() << gate << " " << isa << " T=" << tokens << " E=" << experts
                                    << " fixed=" << fixed);
    auto logits = normal(static_cast<size_t>(tokens * experts), tokens + experts, 3);
    if (ties)
        for (double &l : logits) l = std::round(l / 3);
    auto call = routed(gate, isa, experts, logits, fixed);
    auto wanted = oracle::route_top1(logits, experts,
                                     gate == "softmax" ? oracle::Gate::softmax : oracle::Gate::sigmoid);
    EXPECT_EQ(call.get_integers("index"), wanted.index);
    EXPECT_LE(error_of(call.get("gate"), wanted.gate), 1e-6);
    EXPECT_EQ(call.get_integers("counts"), wanted.groups.counts);
    EXPECT_EQ(call.get_integers("offsets"), wanted.groups.offsets);
    EXPECT_EQ(call.get_integers("permutation"), wanted.groups.permutation);
}

TEST(Router, AllShapes) {
    for (const auto &isa : isas())
        for (const char *gate : {"sigmoid", "softmax"})
            for (int experts : {1, 2, 7, 8, 16, 256})
                for (int tokens : {1, 2, 3, 5, 16, 257})
                    for (bool ties : {false, true}) check(gate, isa, tokens, experts, false, ties);
}

TEST(Router, FixedExperts) {
    for (const auto &isa : isas())
        for (int experts : {1, 8, 16})
            for (int tokens : {1, 5, 257}) check("sigmoid", isa, tokens, experts, true, true);
}

TEST(Router, OneExpertTakesAll) {
    for (const auto &isa : isas())
        for (int experts : {1, 8, 256})
            for (int tokens : {1, 257})
                for (int winner : {0, experts - 1}) {
                    std::vector<double> logits(static_cast<size_t>(tokens * experts), -1);
                    for (int t = 0; t < tokens; t++) logits[static_cast<size_t>(t * experts + winner)] = 2;
                    auto call = routed("softmax", isa, experts, logits, false);
                    std::vector<int> counts(static_cast<size_t>(experts)), order(static_cast<size_t>(tokens));
                    counts[static_cast<size_t>(winner)] = tokens;
                    std::iota(order.begin(), order.end(), 0);
                    EXPECT_EQ(call.get_integers("counts"), counts);
                    EXPECT_EQ(call.get_integers("permutation"), order);
                }
}

TEST(Router, NanNeverWinsAndTiesGoToTheLowest) {
    const std::vector<double> logits = {NAN,  -2,   -1,   NAN,  // 2
                                        NAN,  NAN,  NAN,  NAN,  // 0
                                        -0.0, 0,    0,    -0.0, // 0: zeros are equal
                                        -inf, NAN,  -inf, 0,    // 3
                                        NAN,  -inf, NAN,  -inf, // 1
                                        0,    inf,  NAN,  inf,  // 1
                                        -3,   -3,   -5,   -3};  // 0
    for (const auto &isa : isas()) {
        auto call = routed("sigmoid", isa, 4, logits, false);
        EXPECT_EQ(call.get_integers("index"), (std::vector<int>{2, 0, 0, 3, 1, 1, 0}));
        EXPECT_EQ(call.get_integers("counts"), (std::vector<int>{3, 2, 1, 1}));
        EXPECT_EQ(call.get_integers("permutation"), (std::vector<int>{1, 2, 6, 4, 5, 0, 3}));
        auto gate = call.get("gate");
        EXPECT_TRUE(std::isnan(gate[1]));
        EXPECT_LE(gate[4], 1.2e-38);
        EXPECT_EQ(gate[5], 1);
    }
}

} // namespace
} // namespace ks::test
