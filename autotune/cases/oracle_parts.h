// SPDX-License-Identifier: Apache-2.0
// Oracles of large problems on all cores: whole oracles, each for its part of the outputs' columns.
#pragma once
#include "tests/oracles/selective_scan.h"
#include <vector>

namespace ks::cases {

// oracle::linear: y [M, N] of x [M, K], weight [N, K] and bias [N] or empty.
std::vector<double> linear_in_parts(const std::vector<double> &x, const std::vector<double> &weight, int K,
                                    const std::vector<double> &bias = {});

// oracle::selective_scan, or oracle::selective_state_update: y, and the states in `args.h`, which is not
// empty.
std::vector<double> scan_in_parts(oracle::SelectiveScan &args, bool update);

} // namespace ks::cases
