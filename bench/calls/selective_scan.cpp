// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/selective_scan.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <cmath>

namespace ks::bench {

namespace {

constexpr int64_t softplus = 8; // the bit of flags

template <typename Args>
Args arguments_of(ScanOperands &o, const char *op) {
    auto a = model::arguments<Args>();
    a.D = o.D, a.N = o.N;
    a.io = choice_index(op, "io", name_of(o.io));
    a.u = o.u.data(), a.dt = o.dt.data(), a.z = o.z.data();
    a.A = o.decay.floats();
    a.B = o.B.data(), a.C = o.C.data();
    a.D_skip = o.skip.floats(), a.dt_bias = o.bias.floats();
    a.state = o.state.floats();
    a.y = o.y.data();
    a.flags = softplus;
    return a;
}

} // namespace

ScanOperands::ScanOperands(int64_t rows_, int64_t channels, int64_t states_per_channel, DType storage,
                           int64_t states)
    : rows(rows_),
      D(channels),
      N(states_per_channel),
      io(storage),
      u(uniform(rows * D, 1, 1.f, io)),
      dt(uniform(rows * D, 2, 1.f, io)),
      z(uniform(rows * D, 3, 1.f, io)),
      y(static_cast<size_t>(rows * D) * size_of(io)),
      B(uniform(rows * N, 4, 1.f, io)),
      C(uniform(rows * N, 5, 1.f, io)),
      skip(uniform(D, 6, 1.f)),
      bias(zeros(D)),
      state(zeros(states * N * D)),
      A(static_cast<size_t>(D * N)) {
    for (int64_t d = 0; d < D; d++) {
        double delta = 1e-3 * std::pow(100., static_cast<double>(d) / static_cast<double>(D));
        bias.floats()[d] = static_cast<float>(delta + std::log(-std::expm1(-delta))); // inverse of softplus
        for (int64_t n = 0; n < N; n++)
            A[static_cast<size_t>(d * N + n)] = static_cast<float>(
                static_cast<double>(-(n + 1)) * (1 + 0.0001 * static_cast<double>(d % 97)));
    }
    decay = model::pack_decay_of(A, D, N);
}

void ScanOperands::scan(const ks_library &library) {
    auto a = arguments_of<ks_selective_scan_args>(*this, "selective_scan");
    a.T = rows, a.sequences = 1;
    model::check(ks_selective_scan(&library, &a));
}

void ScanOperands::update(const ks_library &library) {
    auto a = arguments_of<ks_selective_state_update_args>(*this, "selective_state_update");
    a.S = rows;
    model::check(ks_selective_state_update(&library, &a));
}

Work ScanOperands::work(int64_t states) const {
    auto elements = static_cast<double>(rows * D), width = static_cast<double>(N);
    // An element-state: A delta, exp2, B du, h, y. An element: bias, softplus (exp, log), du, skip, gate
    // (exp).
    return {elements * (8 * width + 10), elements * (width + 3),
            elements * 4 * static_cast<double>(size_of(io)) +
                static_cast<double>(D * N) * 4 * static_cast<double>(2 * states + 1)};
}

} // namespace ks::bench
