// SPDX-License-Identifier: Apache-2.0
// Depthwise causal convolution over packed ragged sequences, with its state.
#pragma once
#include <vector>

namespace ks::oracle {

// Row-major arrays. T = seq_start.back() tokens, S sequences, D channels, W taps. Cross-correlation: tap W-1
// multiplies the current token, tap 0 the oldest:
//   c[t,d] = bias[d] + sum_w weight[d,w] * x[t - (W-1) + w, d],  y = silu(c) or c
// Tokens before the start of a sequence come from its state, the last W-1 inputs (before the convolution).
struct CausalConv1d {
    int channels = 0;
    int width = 0;              // W >= 1
    std::vector<int> seq_start; // [S+1], from 0, not decreasing
    std::vector<double> x;      // [T,D]
    std::vector<double> weight; // [D,W]
    std::vector<double> bias;   // [D] or empty: zero
    std::vector<double> state;  // [S,D,W-1], oldest first: in (empty: zeros), out
    bool silu = true;
};

// Returns y [T,D] and replaces args.state. Throws std::invalid_argument on a wrong size.
std::vector<double> causal_conv1d(CausalConv1d &args);

} // namespace ks::oracle
