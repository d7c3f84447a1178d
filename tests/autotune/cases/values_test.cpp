// SPDX-License-Identifier: Apache-2.0
// Values are the same whatever the number of cores that draw them.
#include "autotune/cases/values.h"
#include <atomic>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace ks::cases {
namespace {

TEST(Values, BlocksCoverEveryElementOnce) {
    for (size_t count : {0, 1, 65535, 65536, 65537, 1000003}) {
        std::vector<std::atomic<int>> visits(count);
        in_blocks(count, [&](size_t first, size_t end) {
            EXPECT_LT(first, end);
            for (size_t i = first; i < end; i++) visits[i]++;
        });
        for (size_t i = 0; i < count; i++) ASSERT_EQ(visits[i], 1) << i << " of " << count;
    }
}

TEST(Values, NormalOnesRepeatAndBeginAlike) {
    std::vector<double> many = normal(300000, 5), again = normal(300000, 5), few = normal(1000, 5);
    EXPECT_EQ(many, again);
    EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
    EXPECT_NE(many, normal(300000, 6));
}

// No block repeats another: mean and variance of sums over blocks would show it.
TEST(Values, BlocksAreIndependent) {
    constexpr size_t block = 1 << 16, blocks = 16;
    std::vector<double> v = normal(block * blocks, 3);
    double variance = 0;
    for (double x : v) variance += x * x / static_cast<double>(v.size());
    EXPECT_NEAR(variance, 1, 0.01);
    for (size_t a = 0; a < blocks; a++)
        for (size_t b = 0; b < a; b++) {
            double correlation = std::inner_product(&v[a * block], &v[a * block] + block, &v[b * block], 0.0);
            EXPECT_LT(std::fabs(correlation) / block, 0.03) << a << " and " << b;
        }
}

TEST(Values, StorageRoundsEveryElement) {
    std::vector<double> v = stored("bf16", std::vector<double>(100000, 1.001));
    for (double x : v) ASSERT_EQ(x, 1.0);
    EXPECT_EQ(stored("f32", {1.001}), std::vector<double>{1.001});
}

} // namespace
} // namespace ks::cases
