// SPDX-License-Identifier: Apache-2.0
// The convolution against values worked by hand, in pieces and ragged.
#include "tests/oracles/causal_conv1d.h"

#include <cmath>
#include <gtest/gtest.h>

namespace ks::oracle {
namespace {

// Two channels, three taps: channel 0 passes the current token, channel 1 weighs 1, 10, 100 (oldest first).
CausalConv1d two_channels(const std::vector<int> &seq_start) {
    CausalConv1d a;
    a.channels = 2;
    a.width = 3;
    a.seq_start = seq_start;
    a.weight = {0, 0, 1, 1, 10, 100};
    a.silu = false;
    for (int t = 0; t < seq_start.back(); t++) {
        a.x.push_back(t + 0.5);
        a.x.push_back(t + 1);
    }
    return a;
}

TEST(CausalConv1d, TapsByHand) {
    CausalConv1d a = two_channels({0, 4});
    EXPECT_EQ(causal_conv1d(a), (std::vector<double>{0.5, 100, 1.5, 210, 2.5, 321, 3.5, 432}));
    EXPECT_EQ(a.state, (std::vector<double>{2.5, 3.5, 3, 4}));
}

TEST(CausalConv1d, StateBiasAndSilu) {
    CausalConv1d a = two_channels({0, 1});
    a.state = {7, 8, 2, 3};
    a.bias = {0, 1000};
    EXPECT_EQ(causal_conv1d(a), (std::vector<double>{0.5, 2 + 30 + 100 + 1000}));
    EXPECT_EQ(a.state, (std::vector<double>{8, 0.5, 3, 1})); // a short piece shifts the old inputs on
    CausalConv1d b = two_channels({0, 1});
    b.silu = true;
    b.x = {std::log(3.0), 0};
    const std::vector<double> y = causal_conv1d(b);
    EXPECT_NEAR(y[0], 0.75 * std::log(3.0), 1e-15);
    EXPECT_EQ(y[1], 0);
}

TEST(CausalConv1d, OneTapHasNoState) {
    CausalConv1d a;
    a.channels = a.width = 1;
    a.seq_start = {0, 3};
    a.x = {1, 2, 3};
    a.weight = {2};
    a.silu = false;
    EXPECT_EQ(causal_conv1d(a), (std::vector<double>{2, 4, 6}));
    EXPECT_TRUE(a.state.empty());
}

TEST(CausalConv1d, PiecesEqualTheWhole) {
    CausalConv1d whole = two_channels({0, 9});
    const std::vector<double> y = causal_conv1d(whole);
    std::vector<double> pieces, state;
    for (auto [first, last] : {std::pair{0, 1}, {1, 2}, {2, 6}, {6, 9}}) {
        CausalConv1d piece = two_channels({0, last - first});
        const std::vector<double> x = two_channels({0, 9}).x;
        piece.x.assign(x.begin() + 2 * first, x.begin() + 2 * last);
        piece.state = state;
        const std::vector<double> part = causal_conv1d(piece);
        pieces.insert(pieces.end(), part.begin(), part.end());
        state = piece.state;
    }
    EXPECT_EQ(pieces, y);
    EXPECT_EQ(state, whole.state);
}

// Sequences of 2, 0 and 2 tokens: no tap reaches over a boundary, each has its own state.
TEST(CausalConv1d, RaggedByHand) {
    CausalConv1d a = two_channels({0, 2, 2, 4});
    a.state = {0, 0, 0, 0, 5, 6, 7, 8, 0, 0, 1, 2};
    EXPECT_EQ(causal_conv1d(a),
              (std::vector<double>{0.5, 100, 1.5, 210, 2.5, 1 + 20 + 300, 3.5, 2 + 30 + 400}));
    EXPECT_EQ(a.state, (std::vector<double>{0.5, 1.5, 1, 2, 5, 6, 7, 8, 2.5, 3.5, 3, 4}));
}

TEST(CausalConv1d, WrongSizesAreRefused) {
    CausalConv1d a = two_channels({0, 4}), b = a, c = a;
    a.weight.pop_back();
    b.state = {1};
    c.seq_start = {1, 4};
    for (CausalConv1d *wrong : {&a, &b, &c}) EXPECT_THROW(causal_conv1d(*wrong), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
