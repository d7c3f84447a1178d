// SPDX-License-Identifier: Apache-2.0
// Norms against values worked by hand, the residual, and each rounding point on its own.
#include "tests/oracles/norm.h"

#include <cmath>
#include <gtest/gtest.h>

namespace ks::oracle {
namespace {

NormOptions no_eps() {
    NormOptions o;
    o.eps = 0;
    return o;
}

void expect_near(const std::vector<double> &a, const std::vector<double> &b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); i++) EXPECT_NEAR(a[i], b[i], 1e-14) << i;
}

TEST(Norm, RmsByHand) {
    // Mean squares 25 and 4.
    expect_near(rms_norm({1, 7, 2, -2}, nullptr, {1, 10}, no_eps()), {0.2, 14, 1, -10});
    NormOptions o;
    o.eps = 11; // mean square 25 + 11 = 36
    expect_near(rms_norm({1, 7}, nullptr, {1, 1}, o), {1.0 / 6, 7.0 / 6});
    expect_near(rms_norm({0, 0}, nullptr, {1, 1}), {0, 0}); // eps keeps zero rows finite
}

TEST(Norm, LayerByHand) {
    // Mean 4, variance 9.
    expect_near(layer_norm({1, 7}, nullptr, {1, 10}, {100, 1000}, no_eps()), {99, 1010});
    expect_near(layer_norm({1, 7}, nullptr, {1, 10}, {}, no_eps()), {-1, 10});
    NormOptions o;
    o.eps = 16;
    expect_near(layer_norm({1, 7}, nullptr, {1, 1}, {}, o), {-0.6, 0.6});
}

TEST(Norm, ResidualIsAddedAndReplaced) {
    std::vector<double> residual = {0.5, 6}, first;
    expect_near(rms_norm({0.5, 1}, &residual, {1, 1}, no_eps()), {0.2, 1.4});
    EXPECT_EQ(residual, (std::vector<double>{1, 7}));
    rms_norm({3, 4}, &first, {1, 1});
    EXPECT_EQ(first, (std::vector<double>{3, 4}));
    expect_near(layer_norm({0, 0}, &residual, {1, 1}, {}, no_eps()), {-1, 1});
}

// 257 is no bf16 value (neighbours 256 and 258, tie to 256); the residual keeps it.
TEST(Norm, SumIsRoundedBeforeTheNormOnly) {
    NormOptions o = no_eps();
    o.sum = Rounding::bf16;
    std::vector<double> residual = {256, 0};
    expect_near(rms_norm({1, 256}, &residual, {1, 1}, o), {1, 1});
    EXPECT_EQ(residual, (std::vector<double>{257, 256}));
    std::vector<double> exact = {256, 0};
    EXPECT_NE(rms_norm({1, 256}, &exact, {1, 1}, no_eps())[0], 1);
}

TEST(Norm, NormalisedIsRoundedBeforeTheWeight) {
    NormOptions o = no_eps();
    o.normalised = Rounding::bf16;
    expect_near(rms_norm({1, 7}, nullptr, {3, 3}, o),
                {3 * 0.2001953125, 3 * 1.3984375}); // bf16 of 0.2 and 1.4
    o.normalised = Rounding::none;
    o.output = Rounding::bf16;
    expect_near(rms_norm({1, 7}, nullptr, {3, 3}, o), {0.6015625, 4.1875}); // bf16 of 0.6 and 4.2
}

TEST(Norm, WrongSizesAreRefused) {
    std::vector<double> residual = {1};
    EXPECT_THROW(rms_norm({1, 2, 3}, nullptr, {1, 1}), std::invalid_argument);
    EXPECT_THROW(rms_norm({1, 2}, &residual, {1, 1}), std::invalid_argument);
    EXPECT_THROW(layer_norm({1, 2}, nullptr, {1, 1}, {1}), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
