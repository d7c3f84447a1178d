// SPDX-License-Identifier: Apache-2.0
// Rounding to bf16 and f16: ties, subnormals, overflow, and every finite f16 and bf16 value.
#include "tests/oracles/rounding.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace ks::oracle {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

TEST(Rounding, Bf16TiesGoToEven) {
    EXPECT_EQ(to_bf16(1.0 + 1.0 / 256), 1.0);              // half a spacing above 1.0 (even)
    EXPECT_EQ(to_bf16(1.0 + 3.0 / 256), 1.0 + 4.0 / 256);  // half a spacing above an odd value
    EXPECT_EQ(to_bf16(1.0 + 1.01 / 256), 1.0 + 2.0 / 256); // just above the tie
    EXPECT_EQ(to_bf16(-(1.0 + 3.0 / 256)), -(1.0 + 4.0 / 256));
    EXPECT_EQ(to_bf16(3.14159265), 3.140625);
}

TEST(Rounding, F16TiesGoToEven) {
    EXPECT_EQ(to_f16(2049.0), 2048.0);
    EXPECT_EQ(to_f16(2051.0), 2052.0);
    EXPECT_EQ(to_f16(0.1), 0.0999755859375);
    EXPECT_EQ(to_f16(-1.0 / 3), -0.333251953125);
}

TEST(Rounding, GoesThroughFloat) {
    EXPECT_EQ(to_f16(1.0 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40)),
              1.0); // float drops the last bit: a tie
}

TEST(Rounding, RangeEnds) {
    EXPECT_EQ(to_f16(65504.0), 65504.0);
    EXPECT_EQ(to_f16(65519.0), 65504.0);
    EXPECT_EQ(to_f16(65520.0), infinity);
    EXPECT_EQ(to_f16(-1e9), -infinity);
    EXPECT_EQ(to_f16(std::ldexp(1.0, -24)), std::ldexp(1.0, -24)); // smallest subnormal
    EXPECT_EQ(to_f16(std::ldexp(1.0, -25)), 0.0);                  // tie with zero, which is even
    EXPECT_EQ(to_f16(std::ldexp(1.5, -25)), std::ldexp(1.0, -24));
    EXPECT_EQ(to_bf16(std::ldexp(255.0, 120)), std::ldexp(255.0, 120));
    EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()), infinity);
    EXPECT_EQ(to_bf16(std::ldexp(1.0, -133)), std::ldexp(1.0, -133));
    EXPECT_EQ(to_bf16(std::ldexp(1.0, -134)), 0.0);
    EXPECT_EQ(to_bf16(infinity), infinity);
    EXPECT_TRUE(std::isnan(to_f16(std::nan(""))));
    EXPECT_TRUE(std::signbit(to_f16(-0.0)));
}

TEST(Rounding, EveryBf16ValueStays) {
    for (uint32_t half = 0; half < 0x10000; half++) {
        const uint32_t wide = half << 16;
        float f;
        std::memcpy(&f, &wide, sizeof f);
        if (std::isnan(f)) continue;
        ASSERT_EQ(to_bf16(f), static_cast<double>(f)) << half;
    }
}

// f16 values by their definition: sign, exponent e, fraction m.
TEST(Rounding, EveryF16ValueStaysAndMidpointsGoToEven) {
    for (int e = 0; e < 31; e++)
        for (int m = 0; m < 1024; m++) {
            const double spacing = std::ldexp(1.0, std::max(e, 1) - 25);
            const double v = (e ? 1024 + m : m) * spacing;
            ASSERT_EQ(to_f16(v), v) << e << " " << m;
            const double up = e == 30 && m == 1023 ? infinity : v + spacing;
            ASSERT_EQ(to_f16(v + spacing / 2), m % 2 ? up : v) << e << " " << m;
        }
}

TEST(Rounding, VectorsAndNone) {
    EXPECT_EQ(rounded(1.001, Rounding::none), 1.001);
    EXPECT_EQ(rounded(std::vector<double>{0.1, 2049}, Rounding::f16),
              (std::vector<double>{0.0999755859375, 2048}));
}

} // namespace
} // namespace ks::oracle
