// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/tile_schedule.h"
#include "dsl/tile/cuda/fragment.h"
#include "runtime/base/error.h"

namespace ks::tile {
using namespace Halide;

namespace {

// Loops over rows, from tiles down to the elements of a thread (fragment.h). Of an update all are RVars.
struct RowLoops {
    bool of_update;
    VarOrRVar tile, warpgroup, warp, row_of_half, slab, half;
    std::optional<RVar> series; // of an update by blocks that stay

    VarOrRVar named(const char *name) const { return VarOrRVar(name, of_update); }
};

void match(const TileMatmul &m, const TileOp &op) {
    auto require = [&](bool holds, const char *cause) {
        if (!holds) throw Error("tile schedule of " + m.out.name(), cause);
    };
    require(static_cast<int>(m.products.size()) == op.products,
            "has another number of products than the tile");
    require(m.rows.defined() == op.gathered, "rows are gathered in only one of algorithm and tile");
}

// The rows of an output with a dimension for them, or with one for tiles and one for the rows of each.
RowLoops split_rows(Func out, const TileMatmul &m, const TileOp &op, TailStrategy edge) {
    Var tile("row"), warpgroup, warp, row_of_half, slab("slab"), half("half"), in_tile, in_warpgroup, in_slab,
        in_warp;
    bool tiles = m.experts.defined();
    if (out.dimensions() != (tiles ? 3 : 2))
        throw Error("tile schedule of " + out.name(),
                    "the output has a dimension for tiles of rows where experts are chosen, and only there");
    if (tiles)
        in_tile = out.args()[1], tile = out.args()[2];
    else
        out.split(out.args()[1], tile, in_tile, op.rows(), edge);
    out.split(in_tile, warpgroup, in_warpgroup, slab_rows * op.slabs)
        .split(in_warpgroup, slab, in_slab, slab_rows)
        .split(in_slab, warp, in_warp, warp_rows)
        .split(in_warp, half, row_of_half, half_rows);
    return {false, tile, warpgroup, warp, row_of_half, slab, half, {}};
}

// Tiles to blocks, or to clusters of them; `inner` are the loops inside of a block's part, `share` that over
// the blocks of a cluster.
void order_tiles(Stage out, const TileOp &op, const RowLoops &rows, const VarOrRVar &column,
                 const VarOrRVar &share, const std::vector<VarOrRVar> &inner) {
    const TileOrder &order = op.order;
    VarOrRVar group = rows.named("row_group"), in_group = rows.named("in_row_group"),
              in_order = rows.named("in_order"), tile = rows.named("tile"), turn = rows.named("turn"),
              block = rows.named("block");
    auto reorder = [&](std::vector<VarOrRVar> outer) {
        if (op.splits > 1) outer.insert(outer.begin(), share);
        outer.insert(outer.begin(), inner.begin(), inner.end());
        out.reorder(outer);
    };
    if (rows.series) {
        reorder({rows.tile, *rows.series, column});
        out.fuse(*rows.series, column, block).gpu_blocks(block);
        return;
    }
    if (order.group) {
        out.split(rows.tile, group, in_group, order.group, TailStrategy::GuardWithIf);
        reorder({in_group, column, group});
        out.fuse(in_group, column, in_order).fuse(in_order, group, tile);
    } else {
        reorder({rows.tile, column});
        out.fuse(rows.tile, column, tile);
    }
    if (order.resident) {
        out.split(tile, turn, block, order.resident, TailStrategy::GuardWithIf);
        reorder({turn, block});
        out.gpu_blocks(block);
    } else if (op.splits > 1) {
        out.fuse(share, tile, block).gpu_blocks(block);
    } else {
        out.gpu_blocks(tile);
    }
}

void schedule(const TileMatmul &m, const TileOp &op, Stage out, const RowLoops &rows, TailStrategy edge) {
    // A pair of columns, the unit of a thread's elements, is a vector; columns are even in number.
    Var n = m.out.args()[0], column("column"), pair, in_pair, in_tile, share("share"), group("group"),
        lane_pair;
    out.split(n, pair, in_pair, pair_columns, TailStrategy::RoundUp)
        .split(pair, column, in_tile, op.product_columns() / pair_columns, edge);
    if (op.splits > 1) out.split(in_tile, share, in_tile, op.result_columns() / pair_columns);
    out.split(in_tile, group, lane_pair, lanes_of_row);
    VarOrRVar lane = rows.named("lane"), in_group = rows.named("in_group"), thread = rows.named("thread");
    std::vector<VarOrRVar> loops = {in_pair,          rows.half, group,          rows.slab, lane_pair,
                                    rows.row_of_half, rows.warp, rows.warpgroup, rows.tile};
    if (rows.series) loops.push_back(*rows.series);
    loops.push_back(column);
    out.reorder(loops);
    out.fuse(lane_pair, rows.row_of_half, lane)
        .fuse(lane, rows.warp, in_group)
        .fuse(in_group, rows.warpgroup, thread);
    order_tiles(out, op, rows, column, share, {in_pair, rows.half, group, rows.slab, thread});
    out.gpu_threads(thread).vectorize(in_pair).unroll(rows.half).unroll(group).unroll(rows.slab);
    out.never_partition_all(); // a partitioned loop would hold the tile several times
    for (Func product : m.products) {
        // One pair at a time: each becomes an allocation of its own, and that two registers.
        product.compute_at(LoopLevel(m.out, rows.half)).store_in(MemoryType::Register);
        for (int i = 0; i < product.dimensions(); i++)
            product.bound_extent(product.args()[static_cast<size_t>(i)], i ? 1 : pair_columns);
        product.unroll(product.args()[0]).never_partition_all();
        product.update().unroll(product.args()[0]).never_partition_all();
    }
}

} // namespace

void tile_schedule(const TileMatmul &m, const TileOp &op) {
    check(op);
    match(m, op);
    // The tensor map clips what lies outside; Halide's own stores need guards.
    TailStrategy edge = op.staged_store ? TailStrategy::RoundUp : TailStrategy::GuardWithIf;
    RowLoops rows = split_rows(m.out, m, op, edge);
    schedule(m, op, m.out, rows, edge);
}

std::vector<std::pair<int, int>> row_loops(const TileOp &op) {
    return {{warp_rows / half_rows, half_rows},
            {op.slabs, slab_rows},
            {half_rows, 1},
            {slab_rows / warp_rows, warp_rows},
            {op.warpgroups, slab_rows * op.slabs}};
}

int row_series(const TileOp &op, int output_columns) {
    int tiles = (output_columns + op.product_columns() - 1) / op.product_columns();
    return std::max(op.order.resident / tiles, 1);
}

void tile_schedule_of_update(const TileMatmul &m, const TileOp &op, const std::vector<RVar> &rows,
                             const RVar &tiles, const std::optional<RVar> &series) {
    check(op);
    match(m, op);
    if (op.splits > 1)
        throw Error("tile schedule of " + m.out.name(), "K is not split where an update writes the output");
    if (rows.size() != row_loops(op).size())
        throw Error("tile schedule of " + m.out.name(),
                    "its rows are not walked over as row_loops() has them");
    TailStrategy edge = op.staged_store ? TailStrategy::RoundUp : TailStrategy::GuardWithIf;
    Stage out = Func(m.out).update();
    out.allow_race_conditions();
    schedule(m, op, out, {true, tiles, rows[4], rows[3], rows[2], rows[1], rows[0], series}, edge);
}

} // namespace ks::tile
