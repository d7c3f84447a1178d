// SPDX-License-Identifier: Apache-2.0
#include "bench/operands.h"
#include "runtime/base/error.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace ks::bench {
namespace {

TEST(Uniform, FillsTheRangeWithoutZerosAndRepeats) {
    constexpr int64_t count = 10000;
    AlignedBytes a = uniform(count, 7, 0.5f), same = uniform(count, 7, 0.5f), other = uniform(count, 8, 0.5f);
    double sum = 0, largest = 0;
    for (int64_t i = 0; i < count; i++) {
        double v = a.floats()[i];
        ASSERT_NE(v, 0);
        sum += v;
        largest = std::max(largest, std::fabs(v));
    }
    EXPECT_LE(largest, 0.5);
    EXPECT_GT(largest, 0.49);
    EXPECT_LT(std::fabs(sum / count), 0.01); // 3.5 standard deviations of the mean
    EXPECT_EQ(std::memcmp(a.data(), same.data(), a.size()), 0);
    EXPECT_NE(std::memcmp(a.data(), other.data(), a.size()), 0);
}

TEST(Uniform, RoundsToItsStorage) {
    constexpr int64_t count = 100;
    AlignedBytes wide = uniform(count, 3, 1.f), bf16 = uniform(count, 3, 1.f, DType::bf16),
                 f16 = uniform(count, 3, 1.f, DType::f16);
    ASSERT_EQ(bf16.size(), 200u);
    for (int64_t i = 0; i < count; i++) {
        EXPECT_EQ(reinterpret_cast<uint16_t *>(bf16.data())[i], bf16_of(wide.floats()[i]));
        EXPECT_EQ(reinterpret_cast<uint16_t *>(f16.data())[i], f16_of(wide.floats()[i]));
    }
}

TEST(ExpectClose, TakesTheLargestMagnitudeAsItsMeasure) {
    EXPECT_NO_THROW(expect_close("op", {100, 1.09}, {100, 1}, 1e-3));
    EXPECT_THROW(expect_close("op", {100, 1.11}, {100, 1}, 1e-3), Error);
}

TEST(ExpectClose, RefusesNanAndComparisonsOfNothing) {
    EXPECT_THROW(expect_close("op", {std::numeric_limits<double>::quiet_NaN()}, {1}, 1), Error);
    EXPECT_THROW(expect_close("op", {}, {}, 1), Error);
    EXPECT_THROW(expect_close("op", {1}, {1, 2}, 1), Error);
    EXPECT_THROW(expect_close("op", {0, 0}, {0, 0}, 1), Error); // zeros hide a kernel that wrote nothing
}

} // namespace
} // namespace ks::bench
