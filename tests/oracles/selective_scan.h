// SPDX-License-Identifier: Apache-2.0
// Mamba-1's selective scan over packed ragged sequences, and its one-step form.
#pragma once
#include <vector>

namespace ks::oracle {

// Row-major arrays. T = seq_start.back() tokens, S = seq_start.size() - 1 sequences, D channels, N states.
// Per sequence, channel d and its tokens t in order, with h of that sequence and channel carried:
//   delta = softplus(dt[t,d] + dt_bias[d])          (no softplus when the flag is off)
//   h[n]  = exp(delta * A[d,n]) * h[n] + delta * B[t,n] * u[t,d]
//   y     = (sum_n C[t,n] * h[n] + D[d] * u[t,d]) * silu(z[t,d])
struct SelectiveScan {
    int channels = 0;
    int states = 0;
    std::vector<int> seq_start;  // [S+1], from 0, not decreasing
    std::vector<double> u;       // [T,D]
    std::vector<double> dt;      // [T,D], before bias and softplus
    std::vector<double> A;       // [D,N], negative (-exp(A_log))
    std::vector<double> B;       // [T,N]
    std::vector<double> C;       // [T,N]
    std::vector<double> D;       // [D] or empty: no skip
    std::vector<double> z;       // [T,D] or empty: no gate
    std::vector<double> dt_bias; // [D] or empty: zero
    std::vector<double> h;       // [S,D,N]: in initial (empty: zeros), out final state
    bool softplus = true;
};

// Returns y [T,D] and replaces args.h. Throws std::invalid_argument on a wrong size.
std::vector<double> selective_scan(SelectiveScan &args);

// One step per sequence: u, dt, z, B, C have one row per sequence ([S,D], [S,N]); seq_start is not read and S
// is the row count of u. Returns y [S,D], replaces args.h [S,D,N].
std::vector<double> selective_state_update(SelectiveScan &args);

} // namespace ks::oracle
