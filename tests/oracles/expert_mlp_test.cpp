// SPDX-License-Identifier: Apache-2.0
// Expert MLPs against values worked by hand: row order, activation, gate, rounding.
#include "tests/oracles/expert_mlp.h"

#include <cmath>
#include <gtest/gtest.h>
#include <stdexcept>

namespace ks::oracle {
namespace {

constexpr double phi1 = 0.841344746068543; // gelu_erf(1)

// Width 1, hidden 2, two experts. Gate rows 1, 2 and up rows 10, 100 for expert 0; expert 1 is its negative
// gate.
ExpertMlp two_experts() {
    ExpertMlp m;
    m.width = 1;
    m.hidden = 2;
    m.experts = 2;
    m.fc1 = {1, 2, 10, 100, -1, -2, 10, 100};
    m.fc2 = {1, 1000, 1, 1000};
    return m;
}

TEST(ExpertMlp, GatedByHand) {
    ExpertMlp m = two_experts();
    m.x = {1, 1};
    m.index = {0, 1};
    m.gate = {1, 0.5};
    const std::vector<double> y = expert_mlp(m);
    ASSERT_EQ(y.size(), 2u);
    const double gelu2 = 1.954499736103642, gelu_minus1 = phi1 - 1, gelu_minus2 = gelu2 - 2;
    EXPECT_NEAR(y[0], phi1 * 10 + gelu2 * 100 * 1000, 1e-8);
    EXPECT_NEAR(y[1], 0.5 * (gelu_minus1 * 10 + gelu_minus2 * 100 * 1000), 1e-8);
}

TEST(ExpertMlp, SiluAndAbsentIndexAndGate) {
    ExpertMlp m = two_experts();
    m.experts = 1;
    m.fc1.resize(4);
    m.fc2.resize(2);
    m.activation = Activation::silu;
    m.x = {std::log(3.0)};
    const double l = std::log(3.0); // sigmoid(l) = 3/4, sigmoid(2 l) = 9/10
    EXPECT_NEAR(expert_mlp(m)[0], 0.75 * l * 10 * l + 0.9 * 2 * l * 100 * l * 1000, 1e-8);
}

TEST(ExpertMlp, NotGated) {
    ExpertMlp m;
    m.width = 2;
    m.hidden = 1;
    m.gated = false;
    m.x = {1, 5};
    m.fc1 = {1, 0};
    m.fc2 = {3, 7};
    const std::vector<double> y = expert_mlp(m);
    EXPECT_NEAR(y[0], 3 * phi1, 1e-13);
    EXPECT_NEAR(y[1], 7 * phi1, 1e-13);
}

// One output per rounding point; the values between them are bf16 spacings apart.
TEST(ExpertMlp, RoundsEveryStoredValue) {
    ExpertMlp m = two_experts();
    m.x = {1.0078125}; // a bf16 value
    m.index = {0};
    m.gate = {0.3};
    m.rounding = Rounding::bf16;
    const auto r = to_bf16;
    const double x = 1.0078125, a = r(r(gelu_erf(r(x))) * r(10 * x)),
                 b = r(r(gelu_erf(r(2 * x))) * r(100 * x));
    EXPECT_EQ(expert_mlp(m)[0], r(0.3 * r(a + 1000 * b)));
    m.rounding = Rounding::none;
    EXPECT_NEAR(expert_mlp(m)[0], 0.3 * (gelu_erf(x) * 10 * x + gelu_erf(2 * x) * 100 * x * 1000), 1e-8);
}

TEST(ExpertMlp, WrongSizesAreRefused) {
    ExpertMlp m = two_experts();
    m.x = {1};
    m.index = {2};
    EXPECT_THROW(expert_mlp(m), std::invalid_argument);
    m.index = {0, 1};
    EXPECT_THROW(expert_mlp(m), std::invalid_argument);
    m.index = {1};
    m.gated = false;
    EXPECT_THROW(expert_mlp(m), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
