// SPDX-License-Identifier: Apache-2.0
// Which thread holds which element of a tile: the accumulator layout of wgmma m64nNk16 (PTX ISA, "Register
// Fragments for wgmma.mma_async.m64nNk16", matrix D), one warpgroup beside another and slabs below each
// other.
#pragma once
#include "dsl/tile/cuda/tile_op.h"
#include <optional>

namespace ks::tile {

// Elements of a warp's part of a slab: pairs of columns, in rows 8 apart.
constexpr int warp_rows = 16, half_rows = 8, pair_columns = 2, group_columns = 8, lanes_of_row = 4;

struct Place {
    int row, column; // in the tile
    bool operator==(const Place &o) const { return row == o.row && column == o.column; }
};

// The first element of a consumer thread; its others lie at the same steps from it in every thread.
Place first_place(const TileOp &op, int thread);

// The accumulator that holds, in the end, the element of `product` at a step from the first one (columns
// within the block's share of the product); nothing when it belongs to another thread or lies outside the
// tile.
std::optional<int> accumulator_at(const TileOp &op, int product, Place step);

} // namespace ks::tile
