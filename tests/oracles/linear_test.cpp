// SPDX-License-Identifier: Apache-2.0
// The matrix product against values worked by hand.
#include "tests/oracles/linear.h"

#include <gtest/gtest.h>
#include <stdexcept>

namespace ks::oracle {
namespace {

TEST(Linear, ByHand) {
    const std::vector<double> x = {1, 2, 3, 4, 5, 6};      // [2,3]
    const std::vector<double> weight = {1, 0, 0, 1, 1,  1, // [4,3]
                                        0, 0, 2, 1, -1, 0};
    EXPECT_EQ(linear(x, weight, 3), (std::vector<double>{1, 6, 6, -1, 4, 15, 12, -1}));
    EXPECT_EQ(linear(x, weight, 3, {10, 20, 30, 40}), (std::vector<double>{11, 26, 36, 39, 14, 35, 42, 39}));
    EXPECT_TRUE(linear({}, weight, 3).empty());
}

TEST(Linear, WrongSizesAreRefused) {
    EXPECT_THROW(linear({1, 2}, {1, 2, 3}, 3), std::invalid_argument);
    EXPECT_THROW(linear({1, 2, 3}, {1, 2}, 3), std::invalid_argument);
    EXPECT_THROW(linear({1}, {1}, 1, {1, 2}), std::invalid_argument);
    EXPECT_THROW(linear({}, {}, 0), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
