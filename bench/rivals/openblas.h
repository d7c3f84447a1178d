// SPDX-License-Identifier: Apache-2.0
// Rival: OpenBLAS, found at run time; one thread.
#pragma once
#include <optional>
#include <string>

namespace ks::bench {

struct OpenBlas {
    std::string version; // with the core it chose
    void (*gemm)(int, int, int, int, int, int, float, const float *, int, const float *, int, float, float *,
                 int);
    void (*gemv)(int, int, int, int, float, const float *, int, const float *, int, float, float *, int);

    // y[M, N] = x[M, K] w[N, K]^T
    void linear(int M, int K, int N, const float *x, const float *w, float *y) const;
};

// Nothing when the machine has no libopenblas.so.0.
std::optional<OpenBlas> find_openblas();
constexpr char openblas_missing[] = "libopenblas.so.0 is not installed; "; // begins the note of such a row

} // namespace ks::bench
