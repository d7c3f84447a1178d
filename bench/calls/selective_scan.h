// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/calls/call.h"
#include "bench/operands.h"

namespace ks::bench {

// Operands of the scan (softplus, recurrence, read-out, skip, gate) and of its one-step form, in the
// magnitudes of a fresh Mamba: dt after softplus 1e-3 to 1e-1, A from -1 to -N.
struct ScanOperands {
    int64_t rows, D, N; // rows: time steps of one sequence, or sequences of one step
    DType io;
    AlignedBytes u, dt, z, y; // [rows, D], storage io
    AlignedBytes B, C;        // [rows, N], storage io
    AlignedBytes skip, bias;  // [D]
    AlignedBytes state;       // [states, N, D]
    std::vector<float> A;     // [D, N], negative
    AlignedBytes decay;       // A as the op takes it

    ScanOperands(int64_t rows, int64_t D, int64_t N, DType io, int64_t states = 1);

    void scan(const ks_library &library);
    void update(const ks_library &library); // needs as many states as rows
    Work work(int64_t states) const;
};

} // namespace ks::bench
