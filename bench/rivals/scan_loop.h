// SPDX-License-Identifier: Apache-2.0
// Rival: the selective scan as a plain loop over time, channels and states, state in memory.
#pragma once

namespace ks::bench {

// u, dt, z, y [L, D]; A and state [D, N] (A as the formula has it, negative); B, C [L, N]; skip, bias [D].
struct ScanArrays {
    int L, D, N;
    const float *u, *dt, *z, *A, *B, *C, *skip, *bias;
    float *state, *y;
};

void scan_loop(const ScanArrays &a);

} // namespace ks::bench
