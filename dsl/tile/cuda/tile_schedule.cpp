// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_schedule.h"
#include "dsl/tile/cuda/fragment.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;

namespace {

// The loops of one tile that stay visible outside of it.
struct TileLoops {
    Var column{"column"}, row{"row"};               // tiles
    Var slab{"slab"}, group{"group"}, half{"half"}; // elements of a thread
    Var thread{"thread"};
};

void match(const TileMatmul &m, const TileOp &op) {
    auto require = [&](bool holds, const char *cause) {
        if (!holds) throw Error("tile schedule of " + m.out.name(), cause);
    };
    require(static_cast<int>(m.products.size()) == op.products,
            "has another number of products than the tile");
    require(m.rows.defined() == op.gathered, "rows are gathered in only one of algorithm and tile");
    require(m.out.dimensions() == (m.experts.defined() ? 3 : 2),
            "the output has a dimension for tiles of rows where experts are chosen, and only there");
}

// Rows and columns of a tile to threads and their elements, as in fragment.h.
void split_tile(Func out, const TileOp &op, const TileLoops &at, const Var &row, const Var &column) {
    Var warpgroup, in_warpgroup, in_slab, warp, in_warp, row_of_half, lane_pair, lane, in_group;
    out.split(row, warpgroup, in_warpgroup, slab_rows * op.slabs)
        .split(in_warpgroup, at.slab, in_slab, slab_rows)
        .split(in_slab, warp, in_warp, warp_rows)
        .split(in_warp, at.half, row_of_half, half_rows)
        .split(column, at.group, lane_pair, lanes_of_row)
        .fuse(lane_pair, row_of_half, lane)
        .fuse(lane, warp, in_group)
        .fuse(in_group, warpgroup, at.thread);
}

// Tiles to blocks.
void order_tiles(Func out, const TileOrder &order, const TileLoops &at, const Var &in_pair) {
    Var group, in_group, in_order, tile("tile"), turn("turn"), block("block");
    std::vector<VarOrRVar> loops = {in_pair, at.half, at.group, at.slab, at.thread};
    auto reorder = [&](std::vector<VarOrRVar> outer) {
        outer.insert(outer.begin(), loops.begin(), loops.end());
        out.reorder(outer);
    };
    if (order.group) {
        out.split(at.row, group, in_group, order.group, TailStrategy::GuardWithIf);
        reorder({in_group, at.column, group});
        out.fuse(in_group, at.column, in_order).fuse(in_order, group, tile);
    } else {
        reorder({at.row, at.column});
        out.fuse(at.row, at.column, tile);
    }
    if (order.resident) {
        out.split(tile, turn, block, order.resident, TailStrategy::GuardWithIf);
        reorder({turn, block});
        out.gpu_blocks(block);
    } else {
        out.gpu_blocks(tile);
    }
    out.gpu_threads(at.thread).unroll(at.half).unroll(at.group).unroll(at.slab);
}

} // namespace

void tile_schedule(const TileMatmul &m, const TileOp &op) {
    check(op);
    match(m, op);
    TileLoops at;
    Func out = m.out;
    // The tensor map clips what lies outside; Halide's own stores need guards.
    TailStrategy edge = op.staged_store ? TailStrategy::RoundUp : TailStrategy::GuardWithIf;
    Var row_in_tile, column_in_tile;
    if (m.experts.defined()) {
        row_in_tile = out.args()[1];
        at.row = out.args()[2];
    } else {
        out.split(out.args()[1], at.row, row_in_tile, op.rows(), edge);
    }
    // A pair of columns, the unit of a thread's elements, is a vector; columns are even in number.
    Var pair, in_pair;
    out.split(out.args()[0], pair, in_pair, pair_columns, TailStrategy::RoundUp).vectorize(in_pair);
    out.split(pair, at.column, column_in_tile, op.product_columns() / pair_columns, edge);
    split_tile(out, op, at, row_in_tile, column_in_tile);
    order_tiles(out, op.order, at, in_pair);
    out.never_partition_all(); // a partitioned loop would hold the tile several times
    for (Func product : m.products) {
        // One pair at a time: each becomes an allocation of its own, and that two registers.
        product.compute_at(out, at.half).store_in(MemoryType::Register);
        product.unroll(product.args()[0]).never_partition_all();
        product.update().unroll(product.args()[0]).never_partition_all();
    }
}

} // namespace ks::tile
