// SPDX-License-Identifier: Apache-2.0
// Lookup and head against values worked by hand.
#include "tests/oracles/embedding.h"

#include <cmath>
#include <gtest/gtest.h>
#include <stdexcept>

namespace ks::oracle {
namespace {

const std::vector<double> table = {1, 2, 3, 4, 5, 6}; // [3,2]

TEST(Embedding, PicksRows) {
    EXPECT_EQ(embedding({2, 0, 2}, table, 2), (std::vector<double>{5, 6, 1, 2, 5, 6}));
    EXPECT_TRUE(embedding({}, table, 2).empty());
    EXPECT_THROW(embedding({3}, table, 2), std::invalid_argument);
    EXPECT_THROW(embedding({-1}, table, 2), std::invalid_argument);
}

TEST(Head, MasksPaddingRows) {
    const std::vector<double> x = {1, 1, 1, -1};
    EXPECT_EQ(head(x, table, 2), (std::vector<double>{3, 7, 11, -1, -1, -1}));
    const std::vector<double> masked = head(x, table, 2, 2);
    EXPECT_EQ(masked, (std::vector<double>{3, 7, -INFINITY, -1, -1, -INFINITY}));
    EXPECT_EQ(head(x, table, 2, 3), head(x, table, 2));
}

} // namespace
} // namespace ks::oracle
