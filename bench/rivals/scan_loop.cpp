// SPDX-License-Identifier: Apache-2.0
// Compiled with -O3 -march=native.
#include "bench/rivals/scan_loop.h"
#include <cmath>

namespace ks::bench {

void scan_loop(const ScanArrays &a) {
    const long D = a.D, N = a.N;
    for (long t = 0; t < a.L; t++)
        for (long d = 0; d < D; d++) {
            long i = t * D + d;
            float raw = a.dt[i] + a.bias[d];
            float delta = raw <= 20.f ? log1pf(expf(raw)) : raw, push = delta * a.u[i], sum = 0;
            const float *A = a.A + d * N, *B = a.B + t * N, *C = a.C + t * N;
            float *h = a.state + d * N;
            for (long n = 0; n < N; n++) {
                float s = h[n] * expf(delta * A[n]) + B[n] * push;
                sum += s * C[n];
                h[n] = s;
            }
            a.y[i] = (sum + a.skip[d] * a.u[i]) * (a.z[i] / (1.f + expf(-a.z[i])));
        }
}

} // namespace ks::bench
