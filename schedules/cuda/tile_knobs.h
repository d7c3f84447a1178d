// SPDX-License-Identifier: Apache-2.0
// The knobs of a matrix product on tensor cores, for every op that has one.
#pragma once
#include "dsl/tile/cuda/tile_op.h"
#include "schedules/space.h"

namespace ks::cuda {

// What the algorithm decides of a tile operation.
struct TileProblem {
    Storage storage = Storage::bf16;
    int K = 0, columns = 0; // of a row of the output; 0: the launch says it
    int column_divisor = 1; // of which the columns are known to be a multiple
    int products = 1;
    bool gathered = false; // rows through an index
    // Rows of the output go anywhere: no tensor map takes them there, and Halide keeps the order of tiles, so
    // that blocks which stay share them as TileOrder has it for all row tiles in a group.
    bool scattered = false;
    bool experts = false;      // weights of many: more dimensions than mma takes
    bool splits = false;       // blocks may split K
    bool wide_results = false; // results of 32 bits: eight of them are no 16 bytes
};

// Whether the rows of the output are whole 16 bytes: a tensor map takes them, and quads of lanes.
bool whole_rows(const TileProblem &problem);

// Adds the knobs; with `on` false they stay at their defaults, for points of another form of the op. A point
// is legal when its tile operation is.
void add_tile_knobs(Space &space, const TileProblem &problem, const std::function<bool(const Knobs &)> &on);

tile::TileOp tile_op(const Knobs &knobs, const TileProblem &problem);

} // namespace ks::cuda
