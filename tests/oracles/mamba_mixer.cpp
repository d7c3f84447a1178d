// SPDX-License-Identifier: Apache-2.0
// Mamba-1's mixer composed of the op oracles.
#include "tests/oracles/mamba_mixer.h"

#include "tests/oracles/causal_conv1d.h"
#include "tests/oracles/check.h"
#include "tests/oracles/linear.h"
#include "tests/oracles/selective_scan.h"

#include <cmath>

namespace ks::oracle {
namespace {

// Columns first .. first + count - 1 of a [rows, width] array.
std::vector<double> columns(const std::vector<double> &a, int width, int first, int count) {
    std::vector<double> part;
    for (size_t row = 0; row < a.size(); row += static_cast<size_t>(width))
        for (int i = 0; i < count; i++) part.push_back(a[row + static_cast<size_t>(first + i)]);
    return part;
}

std::vector<double> convolved(const MixerShape &m, const WeightSource &weights, const std::string &prefix,
                              std::vector<double> x, int tokens, MixerState &state) {
    CausalConv1d conv;
    conv.channels = m.inner;
    conv.width = m.conv_width;
    conv.seq_start = {0, tokens};
    conv.x = std::move(x);
    conv.weight = weights(prefix + "conv1d.weight");
    if (m.conv_bias) conv.bias = weights(prefix + "conv1d.bias");
    conv.state = state.conv;
    std::vector<double> y = causal_conv1d(conv);
    state.conv = conv.state;
    return y;
}

} // namespace

std::vector<double> mamba_mixer(const std::vector<double> &x, const MixerShape &m,
                                const WeightSource &weights, const std::string &prefix, Rounding rounding,
                                MixerState &state) {
    const int tokens = static_cast<int>(x.size()) / m.hidden, projected = m.dt_rank + 2 * m.states;
    const std::vector<double> in_proj = weights(prefix + "in_proj.weight"),
                              x_proj = weights(prefix + "x_proj.weight");
    const std::vector<double> out_proj = weights(prefix + "out_proj.weight");
    expect_size("in_proj.weight", in_proj, static_cast<size_t>(2 * m.inner) * static_cast<size_t>(m.hidden));
    expect_size("x_proj.weight", x_proj, static_cast<size_t>(projected) * static_cast<size_t>(m.inner));
    expect_size("out_proj.weight", out_proj, static_cast<size_t>(m.hidden) * static_cast<size_t>(m.inner));

    const std::vector<double> xz = rounded(linear(x, in_proj, m.hidden), rounding);
    SelectiveScan scan;
    scan.channels = m.inner;
    scan.states = m.states;
    scan.seq_start = {0, tokens};
    scan.z = columns(xz, 2 * m.inner, m.inner, m.inner);
    scan.u =
        rounded(convolved(m, weights, prefix, columns(xz, 2 * m.inner, 0, m.inner), tokens, state), rounding);

    const std::vector<double> p = rounded(linear(scan.u, x_proj, m.inner), rounding); // dt | B | C
    const std::vector<double> dt_low = columns(p, projected, 0, m.dt_rank);
    scan.dt = rounded(linear(dt_low, weights(prefix + "dt_proj.weight"), m.dt_rank), rounding);
    scan.B = columns(p, projected, m.dt_rank, m.states);
    scan.C = columns(p, projected, m.dt_rank + m.states, m.states);
    scan.dt_bias = weights(prefix + "dt_proj.bias");
    scan.D = weights(prefix + "D");
    for (double a_log : weights(prefix + "A_log")) scan.A.push_back(-std::exp(a_log));
    scan.h = state.ssm;
    const std::vector<double> y = rounded(selective_scan(scan), rounding);
    state.ssm = scan.h;
    return rounded(linear(y, out_proj, m.inner), rounding);
}

} // namespace ks::oracle
