// SPDX-License-Identifier: Apache-2.0
#include "tests/oracles/expert_tiles.h"
#include <gtest/gtest.h>
#include <stdexcept>

namespace ks::oracle {
namespace {

const Grouping groups = {{2, 0, 5, 1}, {0, 2, 2, 7, 8}, {3, 6, 0, 1, 4, 5, 7, 2}};

TEST(ExpertTilesOracle, FillsTheLastTileOfAnExpertWithItsLastToken) {
    ExpertTiles t = expert_tiles(groups, 4, 5);
    EXPECT_EQ(t.rows, (std::vector<int>{3, 6, 6, 6, 0, 1, 4, 5, 7, 7, 7, 7, 2, 2, 2, 2, 0, 0, 0, 0}));
    EXPECT_EQ(t.experts, (std::vector<int>{0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, -1, -1, -1, -1}));
}

TEST(ExpertTilesOracle, OneSlotIsThePermutation) {
    EXPECT_EQ(expert_tiles(groups, 1, 8).rows, groups.permutation);
    EXPECT_EQ(expert_tiles(groups, 1, 8).experts, (std::vector<int>{0, 0, 2, 2, 2, 2, 2, 3}));
}

TEST(ExpertTilesOracle, TooFewTilesLeaveTheLastOut) {
    EXPECT_EQ(expert_tiles(groups, 2, 2).rows, (std::vector<int>{3, 6, 0, 1}));
}

TEST(ExpertTilesOracle, RefusesWhatDoesNotHoldTogether) {
    Grouping wrong = groups;
    wrong.counts[0] = 1;
    EXPECT_THROW(expert_tiles(wrong, 2, 2), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
