// SPDX-License-Identifier: Apache-2.0
// Compiled with -O3 -march=native.
#include "bench/rivals/read_loop.h"

namespace ks::bench {

namespace {

#ifdef __AVX512F__
constexpr int lanes = 16;
#else
constexpr int lanes = 8;
#endif
typedef float Vector __attribute__((vector_size(4 * lanes), aligned(4), may_alias));
typedef float Register __attribute__((vector_size(4 * lanes)));

template <int streams>
float read(const float *p, size_t count) {
    constexpr int chains = 8, each = chains / streams; // vectors of one stream per step
    const size_t part = count / streams;
    Register sums[chains] = {};
    for (size_t i = 0; i + each * lanes <= part; i += each * lanes)
#pragma GCC unroll 8
        for (int j = 0; j < chains; j++)
            sums[j] += *reinterpret_cast<const Vector *>(p + static_cast<size_t>(j / each) * part + i +
                                                         static_cast<size_t>(j % each * lanes));
    Register all{};
    for (const Register &v : sums) all += v;
    float total = 0;
    for (int l = 0; l < lanes; l++) total += all[l];
    return total;
}

} // namespace

float read_loop(const float *p, size_t count, int streams) {
    return streams == 4 ? read<4>(p, count) : streams == 2 ? read<2>(p, count) : read<1>(p, count);
}

// Twelve chains cover latency times width of the FMA units of today's cores and fit 16 registers. Assembly: a
// compiler merges equal chains or keeps them in memory.
double fma_loop(long steps) {
    constexpr int chains = 12;
    Register a0{}, a1{}, a2{}, a3{}, a4{}, a5{}, a6{}, a7{}, a8{}, a9{}, a10{}, a11{};
    Register m = Register{} + 0.5f;
    for (long s = 0; s < steps; s++)
        asm volatile("vfmadd231ps %12, %12, %0\n\tvfmadd231ps %12, %12, %1\n\tvfmadd231ps %12, %12, %2\n\t"
                     "vfmadd231ps %12, %12, %3\n\tvfmadd231ps %12, %12, %4\n\tvfmadd231ps %12, %12, %5\n\t"
                     "vfmadd231ps %12, %12, %6\n\tvfmadd231ps %12, %12, %7\n\tvfmadd231ps %12, %12, %8\n\t"
                     "vfmadd231ps %12, %12, %9\n\tvfmadd231ps %12, %12, %10\n\tvfmadd231ps %12, %12, %11"
                     : "+x"(a0), "+x"(a1), "+x"(a2), "+x"(a3), "+x"(a4), "+x"(a5), "+x"(a6), "+x"(a7),
                       "+x"(a8), "+x"(a9), "+x"(a10), "+x"(a11)
                     : "x"(m));
    return 2. * chains * lanes * static_cast<double>(steps);
}

} // namespace ks::bench
