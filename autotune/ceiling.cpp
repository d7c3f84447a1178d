// SPDX-License-Identifier: Apache-2.0
#include "autotune/ceiling.h"
#include "runtime/base/aligned.h"
#include "runtime/base/clock.h"
#include <algorithm>
#include <immintrin.h>

namespace ks::tune {

namespace {

// Enough independent chains to hide a latency of 4 to 5 cycles on two pipes.
constexpr int chains = 12;

__attribute__((target("avx512f"))) double fma_512(int64_t steps) {
    __m512 a[chains], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
    for (int i = 0; i < chains; i++) a[i] = _mm512_set1_ps(static_cast<float>(i));
    for (int64_t s = 0; s < steps; s++)
#pragma GCC unroll 12
        for (int i = 0; i < chains; i++) a[i] = _mm512_fmadd_ps(a[i], x, y);
    float lanes[16], sum = 0;
    for (int i = 0; i < chains; i++) {
        _mm512_storeu_ps(lanes, a[i]);
        sum += lanes[0];
    }
    return sum;
}

__attribute__((target("avx512f,avx512bf16"))) double dot_512(int64_t steps) {
    __m512 a[chains];
    for (int i = 0; i < chains; i++) a[i] = _mm512_set1_ps(static_cast<float>(i));
    auto pairs = reinterpret_cast<__m512bh>(_mm512_set1_epi16(0x3c00)); // 2^-7
    for (int64_t s = 0; s < steps; s++)
#pragma GCC unroll 12
        for (int i = 0; i < chains; i++) a[i] = _mm512_dpbf16_ps(a[i], pairs, pairs);
    float sum = 0;
    for (int i = 0; i < chains; i++) sum += _mm512_cvtss_f32(a[i]);
    return sum;
}

__attribute__((target("avx2,fma"))) double fma_256(int64_t steps) {
    __m256 a[chains], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
    for (int i = 0; i < chains; i++) a[i] = _mm256_set1_ps(static_cast<float>(i));
    for (int64_t s = 0; s < steps; s++)
#pragma GCC unroll 12
        for (int i = 0; i < chains; i++) a[i] = _mm256_fmadd_ps(a[i], x, y);
    float sum = 0;
    for (int i = 0; i < chains; i++) sum += _mm256_cvtss_f32(a[i]);
    return sum;
}

__attribute__((target("avx2"))) double read_bytes(const std::byte *p, size_t bytes) {
    __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
    for (size_t i = 0; i + 128 <= bytes; i += 128) {
        const auto *at = reinterpret_cast<const __m256i *>(p + i);
        a = _mm256_xor_si256(a, _mm256_load_si256(at));
        b = _mm256_xor_si256(b, _mm256_load_si256(at + 1));
        c = _mm256_xor_si256(c, _mm256_load_si256(at + 2));
        d = _mm256_xor_si256(d, _mm256_load_si256(at + 3));
        asm volatile("" : "+x"(a), "+x"(b), "+x"(c), "+x"(d)); // every pass reads again
    }
    a = _mm256_xor_si256(_mm256_xor_si256(a, b), _mm256_xor_si256(c, d));
    return _mm256_extract_epi32(a, 0);
}

volatile double sink; // a result that nobody reads would be left out

template <typename F>
double fastest(int tries, F run) {
    double best = 1e9;
    for (int i = 0; i < tries; i++) {
        double start = seconds_now();
        sink = run();
        best = std::min(best, seconds_now() - start);
    }
    return best;
}

double bandwidth(size_t bytes) {
    AlignedBytes array(bytes);
    size_t passes = std::max<size_t>(1, (size_t{48} << 20) / bytes);
    double seconds = fastest(4, [&] {
        double sum = 0;
        for (size_t i = 0; i < passes; i++) sum += read_bytes(array.data(), bytes);
        return sum;
    });
    return static_cast<double>(bytes * passes) / seconds;
}

} // namespace

Ceiling measure_ceiling(const std::string &isa) {
    constexpr int64_t steps = 1000000;
    bool wide = isa != "avx2";
    double seconds = fastest(6, [&] { return wide ? fma_512(steps) : fma_256(steps); });
    double pairs =
        isa == "avx512_bf16" ? 64.0 * chains * steps / fastest(6, [&] { return dot_512(steps); }) : 0;
    Ceiling c{2.0 * (wide ? 16 : 8) * chains * steps / seconds, pairs, {}};
    for (size_t megabytes : {0, 1, 4, 16, 64, 192}) {
        size_t bytes = megabytes ? megabytes << 20 : 256 << 10;
        c.reads.emplace_back(bytes, bandwidth(bytes));
    }
    return c;
}

double floor_seconds(const Ceiling &c, const Work &w) {
    double rate = c.cached_bytes();
    for (const auto &[bytes, speed] : c.reads)
        if (bytes <= w.footprint) rate = std::min(rate, speed);
    return std::max(w.flops / (w.pairs ? c.pair_flops : c.flops), w.bytes / rate);
}

} // namespace ks::tune
