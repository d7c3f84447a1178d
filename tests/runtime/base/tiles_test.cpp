// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/tiles.h"
#include <gtest/gtest.h>

namespace ks {
namespace {

// Tried out: whatever the first expert gets, the others get the rest.
int64_t tried(int64_t rows, int64_t experts, int64_t slots) {
    auto tiles = [&](int64_t n) { return n / slots + (n % slots > 0); };
    if (experts == 1) return tiles(rows);
    int64_t most = 0;
    for (int64_t first = 0; first <= rows; first++)
        most = std::max(most, tiles(first) + tried(rows - first, experts - 1, slots));
    return most;
}

TEST(MostTiles, IsWhatTheWorstRoutingFills) {
    for (int64_t experts : {1, 2, 3, 4})
        for (int64_t slots : {1, 2, 3, 8, 40})
            for (int64_t rows = 1; rows <= 30; rows++)
                ASSERT_EQ(most_tiles(rows, experts, slots), tried(rows, experts, slots))
                    << rows << " rows, " << experts << " experts, " << slots << " slots";
}

TEST(MostTiles, LargeOnesDoNotWrap) { EXPECT_EQ(most_tiles(1 << 24, 1 << 10, 256), (1 << 16) + 1020); }

} // namespace
} // namespace ks
