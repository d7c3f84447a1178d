// SPDX-License-Identifier: Apache-2.0
// Compiled with -O3 -ffast-math -march=native: the activation is then vectorised with the C library's expf.
#include "bench/rivals/expert_loop.h"
#include <cmath>
#include <cstring>

namespace ks::bench {

namespace {

void swiglu(const float *__restrict gate, const float *__restrict up, float *__restrict hidden, int F) {
    for (int f = 0; f < F; f++) hidden[f] = gate[f] / (1.f + expf(-gate[f])) * up[f];
}

void scatter(const float *__restrict from, float scale, float *__restrict to, int H) {
    for (int i = 0; i < H; i++) to[i] = from[i] * scale;
}

} // namespace

void expert_loop(const OpenBlas &blas, const ExpertArrays &a) {
    const size_t H = static_cast<size_t>(a.H), F = static_cast<size_t>(a.F);
    for (size_t e = 0; e < a.rows->size(); e++) {
        const std::vector<int> &rows = (*a.rows)[e];
        if (rows.empty()) continue;
        int count = static_cast<int>(rows.size());
        for (size_t j = 0; j < rows.size(); j++)
            std::memcpy(a.gathered + j * H, a.x + static_cast<size_t>(rows[j]) * H, H * sizeof(float));
        blas.linear(count, a.H, 2 * a.F, a.gathered, a.up + e * 2 * F * H, a.gate_up);
        for (size_t j = 0; j < rows.size(); j++)
            swiglu(a.gate_up + j * 2 * F, a.gate_up + j * 2 * F + F, a.hidden + j * F, a.F);
        blas.linear(count, a.F, a.H, a.hidden, a.down + e * F * H, a.product);
        for (size_t j = 0; j < rows.size(); j++)
            scatter(a.product + j * H, a.scale[rows[j]], a.y + static_cast<size_t>(rows[j]) * H, a.H);
    }
}

} // namespace ks::bench
