// SPDX-License-Identifier: Apache-2.0
// Sinkhorn: one pass by hand, marginals of the converged plan, and the known facts of the coded form.
#include "tests/oracles/sinkhorn.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <stdexcept>

namespace ks::oracle {
namespace {

// Normal logits [T,E] plus one normal offset per expert.
std::vector<double> random_logits(int T, int E, double sigma, double offset_sigma, unsigned seed) {
    std::mt19937 engine(seed);
    std::normal_distribution<double> value;
    std::vector<double> offset(static_cast<size_t>(E)), logits;
    for (double &o : offset) o = offset_sigma * value(engine);
    for (int t = 0; t < T; t++)
        for (double o : offset) logits.push_back(o + sigma * value(engine));
    return logits;
}

std::vector<double> sums(const std::vector<double> &plan, int E, bool of_rows) {
    const size_t width = static_cast<size_t>(E);
    std::vector<double> s(of_rows ? plan.size() / width : width);
    for (size_t i = 0; i < plan.size(); i++) s[of_rows ? i / width : i % width] += plan[i];
    return s;
}

int largest_load(const std::vector<int> &index, int E) {
    std::vector<int> count(static_cast<size_t>(E));
    for (int e : index) count[static_cast<size_t>(e)]++;
    return *std::max_element(count.begin(), count.end());
}

// K = (1, 4; 9, 1): d1 = 1/20, 1/10; row sums 9/20, 11/20; d0 = 10/9, 10/11; column sums 920/99, 530/99.
TEST(Sinkhorn, OnePassByHand) {
    SinkhornOptions one;
    one.cap = 1;
    const SinkhornResult r = sinkhorn_as_coded({0, std::log(2.0), std::log(3.0), 0}, 2, one);
    const double wanted[] = {99.0 / 1840 * 10 / 9, 99.0 / 1060 * 40 / 9, 99.0 / 1840 * 90 / 11,
                             99.0 / 1060 * 10 / 11};
    for (size_t i = 0; i < 4; i++) EXPECT_NEAR(r.plan[i], wanted[i], 1e-7) << i; // 1e-8 in the denominators
    EXPECT_EQ(r.index, (std::vector<int>{1, 0}));
    EXPECT_EQ(r.iterations, 1);
    EXPECT_TRUE(r.capped); // d1 moved by about 4e-3, more than the tolerance
}

TEST(Sinkhorn, FactorIsTwoByDefault) {
    const std::vector<double> logits = random_logits(32, 4, 1, 1, 1);
    std::vector<double> doubled = logits;
    for (double &g : doubled) g *= 2;
    SinkhornOptions plain;
    plain.factor = 1;
    EXPECT_EQ(sinkhorn_as_coded(logits, 4).plan, sinkhorn_as_coded(doubled, 4, plain).plan);
}

TEST(Sinkhorn, ConvergedPlanHasBothMarginals) {
    const SinkhornResult r = sinkhorn_converged(random_logits(60, 5, 1, 2, 2), 5);
    EXPECT_FALSE(r.capped);
    for (double s : sums(r.plan, 5, true)) EXPECT_NEAR(s * 60, 1, 1e-11);
    for (double s : sums(r.plan, 5, false)) EXPECT_NEAR(s * 5, 1, 1e-11);
}

// The limit is a diagonal scaling of exp(2 g): cross ratios of the plan are those of exp(2 g).
TEST(Sinkhorn, ConvergedPlanIsADiagonalScaling) {
    const std::vector<double> g = random_logits(8, 3, 1, 1, 3);
    const std::vector<double> p = sinkhorn_converged(g, 3).plan;
    for (size_t t = 1; t < 8; t++)
        for (size_t e = 1; e < 3; e++)
            EXPECT_NEAR(std::log(p[0] * p[t * 3 + e] / (p[e] * p[t * 3])),
                        2 * (g[0] + g[t * 3 + e] - g[e] - g[t * 3]), 1e-10);
}

TEST(Sinkhorn, ConvergedWorksWhereExpOverflows) {
    const SinkhornResult r = sinkhorn_converged({2000, 1999, 2000, 2000.5, 1999, 1999}, 2);
    for (double s : sums(r.plan, 2, true)) EXPECT_NEAR(s, 1.0 / 3, 1e-11);
}

// With a tight tolerance the coded form goes to the same plan when its sums are far above 1e-8.
TEST(Sinkhorn, CodedFormConvergesToTheSamePlan) {
    const std::vector<double> g = random_logits(16, 4, 0.5, 0.5, 4);
    SinkhornOptions tight;
    tight.tolerance = 0;
    tight.cap = 200;
    const std::vector<double> coded = sinkhorn_as_coded(g, 4, tight).plan,
                              limit = sinkhorn_converged(g, 4).plan;
    for (size_t i = 0; i < coded.size(); i++) EXPECT_NEAR(coded[i], limit[i], 1e-6);
}

// Mild logits, many tokens: the absolute tolerance is met after the first pass, and the load is near even.
TEST(Sinkhorn, OnePassIsUsualForManyTokens) {
    for (unsigned seed : {1u, 2u, 3u, 4u}) {
        const std::vector<double> g = random_logits(2048, 8, 1, 1, seed);
        const SinkhornResult r = sinkhorn_as_coded(g, 8);
        EXPECT_EQ(r.iterations, 1);
        EXPECT_FALSE(r.capped);
        EXPECT_LT(largest_load(r.index, 8), 1.15 * 256);
        for (double s : sums(r.plan, 8, false)) EXPECT_NEAR(s * 8, 1, 1e-3); // columns were scaled last
    }
}

// Few tokens: one pass is not enough for the rule, so a port that stops there differs.
TEST(Sinkhorn, FewTokensNeedMorePasses) {
    const SinkhornResult r = sinkhorn_as_coded(random_logits(16, 8, 1, 1, 5), 8);
    EXPECT_GT(r.iterations, 1);
    EXPECT_FALSE(r.capped);
}

TEST(Sinkhorn, OffsetsOfExpertsCancelAfterOnePass) {
    std::vector<double> g = random_logits(64, 4, 1, 0, 6), shifted = g;
    for (size_t i = 0; i < g.size(); i++) shifted[i] += 0.5 * static_cast<double>(i % 4);
    SinkhornOptions one;
    one.cap = 1;
    const SinkhornResult a = sinkhorn_as_coded(g, 4, one), b = sinkhorn_as_coded(shifted, 4, one);
    EXPECT_EQ(a.index, b.index);
    for (size_t i = 0; i < g.size(); i++) EXPECT_NEAR(a.plan[i], b.plan[i], 1e-7);
}

TEST(Sinkhorn, WrongSizesAreRefused) {
    EXPECT_THROW(sinkhorn_as_coded({1, 2, 3}, 2), std::invalid_argument);
    EXPECT_THROW(sinkhorn_converged({}, 2), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
