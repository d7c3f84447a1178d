// SPDX-License-Identifier: Apache-2.0
// Scalar conversions: every 16-bit pattern, and rounding against arithmetic in double precision.
#include "runtime/base/dtype.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks {
namespace {

double half_value(int h) {
    int sign = h >> 15, exponent = (h >> 10) & 31, mantissa = h & 1023;
    double v = exponent == 31 ? (mantissa ? NAN : INFINITY)
               : exponent     ? std::ldexp(1024 + mantissa, exponent - 25)
                              : std::ldexp(mantissa, -24);
    return sign ? -v : v;
}

TEST(Half, EveryPatternBothWays) {
    for (int h = 0; h < 65536; h++) {
        float f = of_f16(static_cast<uint16_t>(h));
        double wanted = half_value(h);
        if (std::isnan(wanted)) {
            EXPECT_TRUE(std::isnan(f));
            EXPECT_TRUE(std::isnan(of_f16(f16_of(f))));
            continue;
        }
        ASSERT_EQ(f, wanted) << h;
        ASSERT_EQ(f16_of(f), h);
    }
}

TEST(Half, RoundsToNearestEven) {
    for (int h = 0; h < 0x7bff; h++) { // between neighbours
        double low = half_value(h), high = half_value(h + 1);
        auto middle = static_cast<float>((low + high) / 2);
        EXPECT_EQ(f16_of(middle), h % 2 ? h + 1 : h);
        EXPECT_EQ(f16_of(std::nextafterf(middle, 1e9f)), h + 1);
        EXPECT_EQ(f16_of(std::nextafterf(middle, -1e9f)), h);
    }
    EXPECT_EQ(f16_of(65519.996f), 0x7bff);
    EXPECT_EQ(f16_of(65520.f), 0x7c00);
}

TEST(Bf16, EveryPatternAndTies) {
    for (uint32_t h = 0; h < 65536; h++) {
        float f = of_bf16(static_cast<uint16_t>(h));
        if (std::isnan(f)) {
            EXPECT_TRUE(std::isnan(of_bf16(bf16_of(f))));
            continue;
        }
        ASSERT_EQ(bf16_of(f), h);
        if (std::isinf(f)) continue;
        float tie = float_of((h << 16) | 0x8000u);
        EXPECT_EQ(bf16_of(tie), h % 2 ? h + 1 : h);
        EXPECT_EQ(bf16_of(float_of((h << 16) | 0x8001u)), h + 1);
        EXPECT_EQ(bf16_of(float_of((h << 16) | 0x7fffu)), h);
    }
    EXPECT_TRUE(
        std::isnan(of_bf16(bf16_of(float_of(0x7f800001u))))); // a NaN whose mark lies in the lost bits
}

} // namespace
} // namespace ks
