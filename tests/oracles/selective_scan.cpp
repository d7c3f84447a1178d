// SPDX-License-Identifier: Apache-2.0
// Selective scan as plain loops: sequence, channel, time, state.
#include "tests/oracles/selective_scan.h"

#include "tests/oracles/activations.h"
#include "tests/oracles/check.h"

#include <cmath>

namespace ks::oracle {
namespace {

void check(const SelectiveScan &a) {
    expect(a.channels > 0 && a.states > 0, "selective_scan: channels and states must be positive");
    expect_seq_start(a.seq_start);
    const size_t T = static_cast<size_t>(a.seq_start.back()), S = a.seq_start.size() - 1;
    const size_t D = static_cast<size_t>(a.channels), N = static_cast<size_t>(a.states);
    expect_size("u", a.u, T * D);
    expect_size("dt", a.dt, T * D);
    expect_size("A", a.A, D * N);
    expect_size("B", a.B, T * N);
    expect_size("C", a.C, T * N);
    expect_size_or_empty("D", a.D, D);
    expect_size_or_empty("z", a.z, T * D);
    expect_size_or_empty("dt_bias", a.dt_bias, D);
    expect_size_or_empty("h", a.h, S * D * N);
}

// One token of one channel: moves h [N] on and returns the output.
double step(const SelectiveScan &a, size_t t, size_t d, double *h) {
    const size_t D = static_cast<size_t>(a.channels), N = static_cast<size_t>(a.states);
    const double u = a.u[t * D + d];
    double delta = a.dt[t * D + d] + (a.dt_bias.empty() ? 0.0 : a.dt_bias[d]);
    if (a.softplus) delta = softplus(delta);
    double y = a.D.empty() ? 0.0 : a.D[d] * u;
    for (size_t n = 0; n < N; n++) {
        h[n] = std::exp(delta * a.A[d * N + n]) * h[n] + delta * a.B[t * N + n] * u;
        y += a.C[t * N + n] * h[n];
    }
    return a.z.empty() ? y : y * silu(a.z[t * D + d]);
}

} // namespace

std::vector<double> selective_scan(SelectiveScan &a) {
    check(a);
    const size_t T = static_cast<size_t>(a.seq_start.back()), S = a.seq_start.size() - 1;
    const size_t D = static_cast<size_t>(a.channels), N = static_cast<size_t>(a.states);
    if (a.h.empty()) a.h.assign(S * D * N, 0.0);
    std::vector<double> y(T * D);
    for (size_t s = 0; s < S; s++)
        for (size_t d = 0; d < D; d++)
            for (size_t t = static_cast<size_t>(a.seq_start[s]); t < static_cast<size_t>(a.seq_start[s + 1]);
                 t++)
                y[t * D + d] = step(a, t, d, &a.h[(s * D + d) * N]);
    return y;
}

std::vector<double> selective_state_update(SelectiveScan &a) {
    expect(a.channels > 0, "selective_state_update: channels must be positive");
    const std::vector<int> kept = a.seq_start;
    const size_t S = a.u.size() / static_cast<size_t>(a.channels);
    a.seq_start.clear();
    for (size_t s = 0; s <= S; s++) a.seq_start.push_back(static_cast<int>(s));
    std::vector<double> y = selective_scan(a);
    a.seq_start = kept;
    return y;
}

} // namespace ks::oracle
