// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/row_index.h"
#include <gtest/gtest.h>

namespace ks::tile {
namespace {
using namespace Halide;
using namespace Halide::Internal;

const Expr N = Variable::make(Int(32), "N"), tile = Variable::make(Int(32), "tile"),
           lane = Variable::make(Int(32), "lane"), stride = N / 8 * 8;

void is(const Expr &index, const Expr &row, const Expr &column) {
    auto found = row_index(index, stride);
    ASSERT_TRUE(found) << index;
    EXPECT_TRUE(is_const_zero(simplify(found->row - row))) << index << ": row " << found->row;
    EXPECT_TRUE(is_const_zero(simplify(found->column - column))) << index << ": column " << found->column;
}

TEST(RowIndex, RowsAreWhatTheStrideMultiplies) {
    is(lane * 2 + 5, 0, lane * 2 + 5);
    is((tile * 64 + lane) * stride, tile * 64 + lane, 0);
    is((tile * 64 + lane / 4 + 8) * stride + lane % 4 * 2, tile * 64 + lane / 4 + 8, lane % 4 * 2);
    is(stride * 3 - stride, 2, 0);
}

// As Halide's simplifier leaves them: factors drawn together and multiplied out.
TEST(RowIndex, HoldsWhenMultipliedOut) {
    is(N / 8 * 16 + lane, 2, lane);
    is(N / 8 * (lane * 8) + (tile * (N / 8)) * 64, lane + tile * 8, 0);
    is((lane + tile * (N / 8)) * 8, tile, lane * 8);
}

TEST(RowIndex, NothingElseIsOne) {
    EXPECT_FALSE(row_index(stride * stride, stride)) << "not linear";
    EXPECT_FALSE(row_index(N / 8 * 4, stride)) << "half a row";
    EXPECT_FALSE(row_index(lane, stride + 8)) << "a stride that is a sum";
    EXPECT_FALSE(row_index(lane, 64)) << "a stride that is known";
}

// What hides the stride is an atom: a column, which no proof takes for a place in the row.
TEST(RowIndex, ADividedStrideIsAColumn) { is(stride / 3, 0, stride / 3); }

} // namespace
} // namespace ks::tile
