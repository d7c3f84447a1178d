// SPDX-License-Identifier: Apache-2.0
// Sinkhorn kernels driven by the stop rule, against the double-precision loops.
#include "tests/oracles/sinkhorn.h"
#include "tests/support/op_call.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks::test {
namespace {

struct Run {
    std::vector<double> plan, change;
    std::vector<int> index;
};

// The loop that a runtime would write.
Run sinkhorn(const std::string &space, const std::string &isa, const std::vector<double> &logits, int experts,
             double tolerance, int cap, bool fixed = false) {
    Dims dims = {{"T", static_cast<int64_t>(logits.size()) / experts}, {"E", experts}};
    OpCall start("sinkhorn_start", {{"space", space}}, dims, isa, fixed);
    OpCall pass("sinkhorn_pass", {{"space", space}}, dims, isa, fixed);
    OpCall plan("sinkhorn_plan", {{"space", space}}, dims, isa, fixed);
    for (OpCall *call : {&start, &pass, &plan}) call->set("logits", logits);
    EXPECT_EQ(start.run(), "");
    auto d1 = start.get("d1_next");
    Run r;
    do {
        pass.set("d1", d1);
        EXPECT_EQ(pass.run(), "");
        d1 = pass.get("d1_next");
        r.change.push_back(pass.get("change")[0]);
    } while (!(r.change.back() <= tolerance) && static_cast<int>(r.change.size()) < cap);
    plan.set("d0", pass.get("d0"));
    plan.set("d1", d1);
    EXPECT_EQ(plan.run(), "");
    r.plan = plan.get("plan");
    r.index = plan.get_integers("index");
    return r;
}

std::vector<double> skewed(int tokens, int experts, double spread, double offsets) {
    auto logits = normal(static_cast<size_t>(tokens * experts), tokens, spread);
    auto offset = normal(static_cast<size_t>(experts), 7, offsets);
    for (size_t i = 0; i < logits.size(); i++)
        logits[i] = static_cast<float>(logits[i] + offset[i % static_cast<size_t>(experts)]);
    return logits;
}

// Where the two largest entries of a row are this close, f32 may pick the other.
int clear_differences(const Run &run, const oracle::SinkhornResult &wanted, int experts) {
    int differ = 0;
    for (size_t t = 0; t < run.index.size(); t++) {
        const double *row = &wanted.plan[t * static_cast<size_t>(experts)];
        differ += row[run.index[t]] < row[wanted.index[t]] * (1 - 1e-4);
    }
    return differ;
}

void as_coded(const std::string &isa, int tokens, int experts, double spread, double offsets, int cap,
              bool fixed) {
    SCOPED_TRACE(testing::Message() << isa << " T=" << tokens << " E=" << experts << " fixed=" << fixed);
    auto logits = skewed(tokens, experts, spread, offsets);
    oracle::SinkhornOptions options;
    options.cap = cap;
    auto wanted = oracle::sinkhorn_as_coded(logits, experts, options);
    auto run = sinkhorn("linear", isa, logits, experts, options.tolerance, cap, fixed);
    EXPECT_EQ(static_cast<int>(run.change.size()), wanted.iterations);
    EXPECT_LE(error_of(run.plan, wanted.plan), 2e-6);
    EXPECT_EQ(clear_differences(run, wanted, experts), 0);
}

TEST(Sinkhorn, AsCodedAllShapes) {
    for (const auto &isa : isas())
        for (int experts : {1, 2, 7, 8, 16, 256})
            for (int tokens : {1, 2, 3, 5, 257}) as_coded(isa, tokens, experts, 1, 1, 20, false);
}

TEST(Sinkhorn, AsCodedFixedExperts) {
    for (const auto &isa : isas())
        for (int experts : {1, 8, 16}) as_coded(isa, 257, experts, 1, 1, 20, true);
}

TEST(Sinkhorn, AsCodedManyTokens) {
    for (const auto &isa : isas()) as_coded(isa, 1 << 16, 8, 2, 1, 20, false);
}

TEST(Sinkhorn, StartIsAccurateAtTheEdgeOfTheDomain) {
    const int T = 1 << 16, E = 8;
    for (const auto &isa : isas())
        for (double level : {-40.0, 36.0}) {
            auto logits = normal(T * E, 5, 0.2);
            for (double &l : logits)
                l = static_cast<float>(l + (level < 0 ? std::fabs(l) : -std::fabs(l)) + level);
            std::vector<double> sum(E, 0);
            for (size_t i = 0; i < logits.size(); i++) sum[i % E] += std::exp(2 * logits[i]);
            OpCall start("sinkhorn_start", {{"space", "linear"}}, {{"T", T}, {"E", E}}, isa, false);
            start.set("logits", logits);
            EXPECT_EQ(start.run(), "");
            auto d1 = start.get("d1_next");
            for (size_t e = 0; e < E; e++) EXPECT_NEAR(d1[e] * E * sum[e], 1, 1e-6) << level;
        }
}

TEST(Sinkhorn, LogSpaceConverges) {
    for (const auto &isa : isas())
        for (int experts : {1, 2, 8, 16})
            for (int tokens : {1, 2, 5, 257}) {
                SCOPED_TRACE(testing::Message() << isa << " T=" << tokens << " E=" << experts);
                auto logits = skewed(tokens, experts, 0.7, 2);
                auto wanted = oracle::sinkhorn_converged(logits, experts);
                auto run = sinkhorn("log", isa, logits, experts, 2e-6, 500);
                EXPECT_LT(run.change.size(), 500u);
                EXPECT_LE(error_of(run.plan, wanted.plan), 2e-4);
                EXPECT_EQ(clear_differences(run, wanted, experts), 0);
            }
}

// exp(2 logits) would overflow and underflow; one pass makes every row sum 1/T all the same.
TEST(Sinkhorn, LogSpaceTakesAnyLogit) {
    const int T = 33, E = 8;
    for (const auto &isa : isas()) {
        auto logits = normal(T * E, 9, 300);
        auto run = sinkhorn("log", isa, logits, E, 0, 3);
        for (double change : run.change) EXPECT_TRUE(std::isfinite(change));
        std::vector<double> column(E, 0);
        for (size_t i = 0; i < run.plan.size(); i++) column[i % E] += run.plan[i];
        for (double c : column) EXPECT_NEAR(c * E, 1, 2e-3);
    }
}

} // namespace
} // namespace ks::test
