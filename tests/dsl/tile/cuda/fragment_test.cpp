// SPDX-License-Identifier: Apache-2.0
// The map of accumulators against the PTX ISA's own description of matrix D of wgmma.mma_async.m64nNk16
// (figure "WGMMA .m64nNk16 register fragment layout for accumulator matrix D"), register by register.
#include "dsl/tile/cuda/fragment.h"
#include <gtest/gtest.h>
#include <set>

namespace ks::tile {
namespace {

// Row and column of register d[i] of a thread of one warpgroup.
Place of_register(int thread, int i) {
    int row = 16 * (thread / 32) + thread % 32 / 4; // rows of a warp; four lanes share one
    if (i & 2) row += 8;
    int column = 8 * (i / 4) + 2 * (thread % 4) + (i & 1);
    return {row, column};
}

TileOp shaped(int warpgroups, int slabs, int columns, int products) {
    TileOp op;
    op.warpgroups = warpgroups;
    op.slabs = slabs;
    op.columns = columns;
    op.products = products;
    return op;
}

TEST(Fragment, EveryRegisterOfEveryThreadIsWhereTheIsaPutsIt) {
    for (const TileOp &op : {shaped(1, 1, 64, 1), shaped(2, 1, 256, 1), shaped(2, 2, 128, 1),
                             shaped(2, 1, 256, 2), shaped(1, 3, 96, 2)}) {
        std::set<std::pair<int, int>> covered;
        for (int t = 0; t < op.consumers(); t++) {
            Place first = first_place(op, t);
            for (int slab = 0; slab < op.slabs; slab++)
                for (int i = 0; i < op.columns / 2; i++) {
                    Place at = of_register(t % 128, i);
                    at.row += (t / 128 * op.slabs + slab) * 64;
                    covered.insert({at.row, at.column});
                    int product = at.column / op.product_columns();
                    Place step{at.row - first.row, at.column % op.product_columns() - first.column};
                    auto number = accumulator_at(op, product, step);
                    ASSERT_TRUE(number) << t << " " << slab << " " << i;
                    ASSERT_EQ(*number, slab * op.columns / 2 + i);
                }
        }
        EXPECT_EQ(static_cast<int>(covered.size()), op.rows() * op.columns);
    }
}

// The same numbers as those of a tile that is as wide as the share.
TEST(Fragment, AShareOfATileIsNumberedLikeATile) {
    TileOp split = shaped(2, 2, 128, 2), whole = shaped(2, 2, 32, 2);
    split.splits = 4;
    for (int product = 0; product < 3; product++)
        for (int row = 0; row < 130; row++)
            for (int column = 0; column < 40; column++)
                ASSERT_EQ(accumulator_at(split, product, {row, column}),
                          accumulator_at(whole, product, {row, column}))
                    << product << " " << row << " " << column;
}

TEST(Fragment, ElementsOfOthersAreNoAccumulators) {
    TileOp op = shaped(2, 2, 128, 2);
    EXPECT_TRUE(accumulator_at(op, 1, {72, 57}));
    for (Place step :
         {Place{1, 0}, Place{16, 0}, Place{128, 0}, Place{-8, 0}, Place{0, 2}, Place{0, 64}, Place{0, -8}})
        EXPECT_FALSE(accumulator_at(op, 0, step)) << step.row << " " << step.column;
    EXPECT_FALSE(accumulator_at(op, 2, {0, 0}));
}

} // namespace
} // namespace ks::tile
