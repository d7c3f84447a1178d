// SPDX-License-Identifier: Apache-2.0
// Storage types, bit for bit: every 16-bit pattern widened, and floats over all exponents narrowed, against
// arithmetic in double precision.
#include "dsl/storage.h"
#include "tests/support/jit_kernel.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

namespace ks::test {
namespace {

struct Format {
    int mantissa, low, high; // bits of the mantissa, exponents of the smallest and largest normal numbers
};

Format format_of(Storage s) { return s == Storage::bf16 ? Format{7, -126, 127} : Format{10, -14, 15}; }

double value(uint16_t bits, Format f) {
    int field = (bits & 0x7fff) >> f.mantissa, fraction = bits & ((1 << f.mantissa) - 1),
        top = f.high - f.low + 2;
    double sign = bits & 0x8000 ? -1 : 1;
    if (field == top) return fraction ? NAN : sign * INFINITY;
    if (field == 0) return sign * std::ldexp(fraction, f.low - f.mantissa);
    return sign * std::ldexp((1 << f.mantissa) + fraction, field - 1 + f.low - f.mantissa);
}

// Round to nearest even by the spacing of the format around x; not for NaN.
uint16_t nearest(double x, Format f) {
    int sign = std::signbit(x) ? 0x8000 : 0, infinity = (f.high - f.low + 2) << f.mantissa;
    double m = std::fabs(x);
    if (m == 0) return static_cast<uint16_t>(sign);
    if (std::isinf(m)) return static_cast<uint16_t>(sign | infinity);
    int exponent = std::max(std::ilogb(m), f.low);
    double units = std::nearbyint(std::ldexp(m, f.mantissa - exponent)); // ties to even by default
    int bits = ((exponent - f.low) << f.mantissa) + static_cast<int>(units);
    return static_cast<uint16_t>(sign | std::min(bits, infinity));
}

class StorageOn : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        if (!cpu_runs(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
    }
    // A kernel out(i) = f(in(i)), in vectors with a tail of scalars.
    JitKernel map(Halide::Type in, const std::function<Halide::Expr(Halide::Expr)> &f) const {
        Halide::Target target = kernel_target(GetParam());
        Halide::ImageParam p(in, 1);
        Halide::Var i;
        Halide::Func out;
        out(i) = f(p(i));
        out.vectorize(i, target.natural_vector_size<float>(), Halide::TailStrategy::GuardWithIf);
        return JitKernel({{out}, {p}, {}}, target);
    }
};

TEST_P(StorageOn, WidenIsExactForEveryPattern) {
    for (Storage s : {Storage::bf16, Storage::f16}) {
        JitKernel kernel = map(Halide::UInt(16), [s](Halide::Expr e) { return widen(s, e); });
        std::vector<uint16_t> in(65536 + 3);
        std::vector<float> out(in.size());
        for (size_t i = 0; i < in.size(); i++) in[i] = static_cast<uint16_t>(i);
        Halide::Runtime::Buffer<uint16_t> a(in.data(), static_cast<int>(in.size()));
        Halide::Runtime::Buffer<float> b(out.data(), static_cast<int>(in.size()));
        ASSERT_EQ(kernel({a.raw_buffer(), b.raw_buffer()}), 0);
        for (size_t i = 0; i < in.size(); i++) {
            double want = value(in[i], format_of(s));
            if (std::isnan(want))
                ASSERT_TRUE(std::isnan(out[i])) << name_of(s) << " " << i;
            else
                ASSERT_TRUE(out[i] == want && std::signbit(out[i]) == std::signbit(want))
                    << name_of(s) << " " << i;
        }
    }
}

TEST_P(StorageOn, NarrowRoundsToNearestEven) {
    // 2^24 patterns: all signs, exponents and upper mantissas, with lower bits around the ties.
    const uint32_t lower[] = {0, 1, 0x7f, 0x80, 0x81, 0xff, 0x40, 0xc0};
    const size_t n = size_t{1} << 24;
    std::vector<float> in(n);
    for (size_t i = 0; i < n; i++) {
        uint32_t bits = static_cast<uint32_t>(i) << 8 | lower[(i * 2654435761u >> 20) % 8];
        std::memcpy(&in[i], &bits, 4);
    }
    for (Storage s : {Storage::bf16, Storage::f16}) {
        JitKernel kernel = map(Halide::Float(32), [s](Halide::Expr e) { return narrow(s, e); });
        std::vector<uint16_t> out(n);
        Halide::Runtime::Buffer<float> a(in.data(), static_cast<int>(n));
        Halide::Runtime::Buffer<uint16_t> b(out.data(), static_cast<int>(n));
        ASSERT_EQ(kernel({a.raw_buffer(), b.raw_buffer()}), 0);
        Format f = format_of(s);
        for (size_t i = 0; i < n; i++) {
            if (std::isnan(in[i]))
                ASSERT_TRUE(std::isnan(value(out[i], f))) << name_of(s) << " " << i;
            else
                ASSERT_EQ(out[i], nearest(in[i], f)) << name_of(s) << " of " << in[i];
        }
    }
}

INSTANTIATE_TEST_SUITE_P(X86, StorageOn, testing::Values("avx2", "avx512"));

} // namespace
} // namespace ks::test
