// SPDX-License-Identifier: Apache-2.0
// Compiled with -O3 -march=native.
#include "bench/rivals/read_loop.h"

namespace ks::bench {

namespace {

typedef float Vector256 __attribute__((vector_size(32)));
#ifdef __AVX512F__
typedef float Widest __attribute__((vector_size(64)));
#else
typedef Vector256 Widest;
#endif
typedef Widest Unaligned __attribute__((aligned(4), may_alias));

template <int streams>
float read(const float *p, size_t count) {
    constexpr size_t lanes = sizeof(Widest) / sizeof(float);
    constexpr int chains = 8, each = chains / streams; // vectors of one stream per step
    const size_t part = count / streams;
    Widest sums[chains] = {};
    for (size_t i = 0; i + each * lanes <= part; i += each * lanes)
#pragma GCC unroll 8
        for (int j = 0; j < chains; j++)
            sums[j] += *reinterpret_cast<const Unaligned *>(p + static_cast<size_t>(j / each) * part + i +
                                                            static_cast<size_t>(j % each) * lanes);
    Widest all{};
    for (const Widest &v : sums) all += v;
    float total = 0;
    for (size_t l = 0; l < lanes; l++) total += all[l];
    return total;
}

// Twelve chains cover latency times width of the FMA units of today's cores and fit 16 registers. The steps
// are assembly: a compiler merges equal chains.
template <typename Vector, void step(Vector &, Vector)>
double peak(long steps, double flops_of_lane) {
    constexpr int chains = 12;
    Vector sums[chains] = {}, factor = Vector{} + 0.5f;
    for (long s = 0; s < steps; s++)
#pragma GCC unroll 12
        for (Vector &sum : sums) step(sum, factor);
    return flops_of_lane * chains * (sizeof(Vector) / sizeof(float)) * static_cast<double>(steps);
}

template <typename Vector>
void multiply_add(Vector &sum, Vector factor) {
    asm volatile("vfmadd231ps %1, %1, %0" : "+x"(sum) : "x"(factor));
}

void multiply_pairs(Widest &sum, Widest factor) {
    asm volatile("vdpbf16ps %1, %1, %0" : "+x"(sum) : "x"(factor));
}

} // namespace

float read_loop(const float *p, size_t count, int streams) {
    return streams == 4 ? read<4>(p, count) : streams == 2 ? read<2>(p, count) : read<1>(p, count);
}

std::vector<std::string> reader_names() {
    std::vector<std::string> names;
    for (const Reader &r : readers) names.emplace_back(r.name);
    return names;
}

double fma_loop(long steps, bool wide) {
    return wide ? peak<Widest, multiply_add>(steps, 2) : peak<Vector256, multiply_add>(steps, 2);
}

double pair_loop(long steps) { return peak<Widest, multiply_pairs>(steps, 4); }

} // namespace ks::bench
