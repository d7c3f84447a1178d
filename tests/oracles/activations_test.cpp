// SPDX-License-Identifier: Apache-2.0
// Scalar functions at tabulated values and in the tails.
#include "tests/oracles/activations.h"

#include <cmath>
#include <gtest/gtest.h>

namespace ks::oracle {
namespace {

// Phi(1) = 0.841344746068543, Phi(2) = 0.977249868051821 from tables of the normal distribution.
TEST(Activations, GeluErf) {
    EXPECT_EQ(gelu_erf(0), 0);
    EXPECT_NEAR(gelu_erf(1), 0.841344746068543, 1e-14);
    EXPECT_NEAR(gelu_erf(-1), -0.158655253931457, 1e-14);
    EXPECT_NEAR(gelu_erf(2), 1.954499736103642, 1e-14);
    EXPECT_NEAR(gelu_erf(-10) / -7.619853024160526e-23, 1.0, 1e-12); // 10 * Phi(-10): not flushed to zero
    EXPECT_EQ(gelu_erf(40), 40);
}

TEST(Activations, SigmoidAndSilu) {
    EXPECT_EQ(sigmoid(0), 0.5);
    EXPECT_NEAR(sigmoid(1), 0.731058578630005, 1e-14);
    EXPECT_NEAR(sigmoid(std::log(3.0)), 0.75, 1e-15);
    EXPECT_NEAR(silu(std::log(3.0)), 0.75 * std::log(3.0), 1e-15);
    EXPECT_NEAR(silu(-1), -0.268941421369995, 1e-14);
    EXPECT_EQ(silu(-1000), 0);
    EXPECT_EQ(silu(1000), 1000);
}

TEST(Activations, Softplus) {
    EXPECT_NEAR(softplus(0), std::log(2.0), 1e-15);
    EXPECT_NEAR(softplus(1), 1.313261687518223, 1e-14);
    EXPECT_NEAR(softplus(-30) / std::exp(-30.0), 1.0, 1e-12); // log(1 + x) is x here, not 0
    EXPECT_EQ(softplus(20.5), 20.5);                          // linear branch: the exact value is 1.2e-9 more
    EXPECT_GT(softplus(20.0), 20.0);
    EXPECT_EQ(softplus(1000), 1000);
}

TEST(Activations, Chosen) {
    EXPECT_EQ(activate(1, Activation::silu), silu(1));
    EXPECT_EQ(activate(1, Activation::gelu_erf), gelu_erf(1));
}

} // namespace
} // namespace ks::oracle
