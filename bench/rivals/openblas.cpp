// SPDX-License-Identifier: Apache-2.0
#include "bench/rivals/openblas.h"
#include <cstdlib>
#include <dlfcn.h>

namespace ks::bench {

namespace {

constexpr int row_major = 101, plain = 111, transposed = 112; // CBLAS's enumerators

template <typename F>
F symbol(void *library, const char *name) {
    return reinterpret_cast<F>(dlsym(library, name));
}

} // namespace

void OpenBlas::linear(int M, int K, int N, const float *x, const float *w, float *y) const {
    if (M == 1)
        gemv(row_major, plain, N, K, 1, w, K, x, 1, 0, y, 1);
    else
        gemm(row_major, plain, transposed, M, N, K, 1, x, K, w, K, 0, y, N);
}

std::optional<OpenBlas> find_openblas() {
    setenv("OPENBLAS_NUM_THREADS", "1", 1); // read while it loads
    setenv("OMP_NUM_THREADS", "1", 1);
    void *library = dlopen("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) return std::nullopt;
    OpenBlas blas{"", symbol<decltype(OpenBlas::gemm)>(library, "cblas_sgemm"),
                  symbol<decltype(OpenBlas::gemv)>(library, "cblas_sgemv")};
    auto config = symbol<char *(*)()>(library, "openblas_get_config");
    if (!blas.gemm || !blas.gemv || !config) return std::nullopt;
    blas.version = config();
    return blas;
}

} // namespace ks::bench
