// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/fragment.h"

namespace ks::tile {

Place first_place(const TileOp &op, int thread) {
    int warpgroup = thread / warpgroup_threads, warp = thread % warpgroup_threads / 32, lane = thread % 32;
    return {warpgroup * op.slabs * slab_rows + warp * warp_rows + lane / lanes_of_row,
            lane % lanes_of_row * pair_columns};
}

std::optional<int> accumulator_at(const TileOp &op, int product, Place step) {
    if (product < 0 || product >= op.products || step.row < 0 || step.column < 0) return {};
    int slab = step.row / slab_rows, half = step.row % slab_rows;
    if (slab >= op.slabs || (half != 0 && half != half_rows)) return {};
    int in_group = step.column % group_columns;
    if (step.column >= op.result_columns() || in_group >= pair_columns) return {};
    int group = (product * op.result_columns() + step.column) / group_columns;
    constexpr int per_group = 4; // two rows of two columns
    return slab * (op.results() / op.slabs) + group * per_group + half / half_rows * pair_columns + in_group;
}

} // namespace ks::tile
