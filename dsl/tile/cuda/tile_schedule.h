// SPDX-License-Identifier: Apache-2.0
// The schedule of a tile operation. It is an ordinary, legal GPU schedule in which every thread computes,
// each with a serial loop over K, the very elements that it would hold as accumulators of the tensor cores.
// Without TensorizePass it runs slowly and gives the same results.
#pragma once
#include "dsl/tile/cuda/tile_matmul.h"

namespace ks::tile {

// Throws ks::Error when `op` is no legal tile operation or does not fit the algorithm.
void tile_schedule(const TileMatmul &matmul, const TileOp &op);

// The loops over the rows of a tile in which an update must be written, for Halide keeps the order of an
// update's loops: innermost first, extent and distance in rows.
std::vector<std::pair<int, int>> row_loops(const TileOp &op);

// The same for the update of an output, whose rows may go anywhere: `rows` are the RVars of row_loops(),
// `tiles` that of the tiles of op.rows() rows. Rows written twice must get the same values. Where blocks
// stay, each keeps to a column tile and takes the row tiles of one of row_series() series: `series` is then
// the loop around `tiles`.
void tile_schedule_of_update(const TileMatmul &matmul, const TileOp &op,
                             const std::vector<Halide::RVar> &rows, const Halide::RVar &tiles,
                             const std::optional<Halide::RVar> &series = {});
int row_series(const TileOp &op, int output_columns);

} // namespace ks::tile
