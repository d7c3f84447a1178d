// SPDX-License-Identifier: Apache-2.0
// Rival: experts one after the other, each as gather, library product, activation, library product, scatter.
#pragma once
#include "bench/rivals/openblas.h"
#include <vector>

namespace ks::bench {

// x, y [T, H]; up [E, 2F, H]: gate rows, then up rows; down [E, H, F]; scale [T]; rows: tokens of every
// expert. Work space: gathered and product [T, H], gate_up [T, 2F], hidden [T, F].
struct ExpertArrays {
    int H, F;
    const float *x, *up, *down, *scale;
    const std::vector<std::vector<int>> *rows;
    float *gathered, *gate_up, *hidden, *product, *y;
};

void expert_loop(const OpenBlas &blas, const ExpertArrays &a);

} // namespace ks::bench
