// SPDX-License-Identifier: Apache-2.0
// Depthwise causal convolution as plain loops over a window that slides by one token.
#include "tests/oracles/causal_conv1d.h"

#include "tests/oracles/activations.h"
#include "tests/oracles/check.h"

#include <algorithm>

namespace ks::oracle {
namespace {

void check(const CausalConv1d &a) {
    expect(a.channels > 0 && a.width > 0, "causal_conv1d: channels and width must be positive");
    expect_seq_start(a.seq_start);
    const size_t T = static_cast<size_t>(a.seq_start.back()), S = a.seq_start.size() - 1;
    const size_t D = static_cast<size_t>(a.channels), W = static_cast<size_t>(a.width);
    expect_size("x", a.x, T * D);
    expect_size("weight", a.weight, D * W);
    expect_size_or_empty("bias", a.bias, D);
    expect_size_or_empty("state", a.state, S * D * (W - 1));
}

} // namespace

std::vector<double> causal_conv1d(CausalConv1d &a) {
    check(a);
    const size_t T = static_cast<size_t>(a.seq_start.back()), S = a.seq_start.size() - 1;
    const size_t D = static_cast<size_t>(a.channels), W = static_cast<size_t>(a.width);
    if (a.state.empty()) a.state.assign(S * D * (W - 1), 0.0);
    std::vector<double> y(T * D), window(W); // window: the W inputs that end at the current token
    for (size_t s = 0; s < S; s++)
        for (size_t d = 0; d < D; d++) {
            const auto state = a.state.begin() + static_cast<std::ptrdiff_t>((s * D + d) * (W - 1));
            std::copy_n(state, W - 1, window.begin() + 1);
            for (size_t t = static_cast<size_t>(a.seq_start[s]); t < static_cast<size_t>(a.seq_start[s + 1]);
                 t++) {
                std::rotate(window.begin(), window.begin() + 1, window.end());
                window[W - 1] = a.x[t * D + d];
                double c = a.bias.empty() ? 0.0 : a.bias[d];
                for (size_t w = 0; w < W; w++) c += a.weight[d * W + w] * window[w];
                y[t * D + d] = a.silu ? silu(c) : c;
            }
            std::copy_n(window.begin() + 1, W - 1, state);
        }
    return y;
}

} // namespace ks::oracle
