// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/tile_knobs.h"
#include <algorithm>

namespace ks::cuda {

namespace {

// A warpgroup of producers gives registers away; the consumers share what it leaves.
void share_registers(tile::TileOp &op) {
    constexpr int most = 240;
    op.producer_registers = op.gathered ? 56 : 40;
    int left = op.registers_at_entry() * op.threads() - op.producer_registers * op.producer_threads;
    op.consumer_registers = std::min(tile::whole_registers(left / op.consumers()), most);
}

// Whether blocks that stay go on, turn by turn, to rows that follow from the turn alone: over all rows in a
// group they do not.
bool turns_are_rows(const tile::TileOrder &order, int column_tiles) {
    if (column_tiles == 1 || order.group == 1) return true;
    return order.group && order.resident % (order.group * column_tiles) == 0;
}

// Halide's own stores are guarded, and Halide makes use of what it can prove about guards: columns of a tile
// that no output has are not computed, and turns of resident blocks end, for each thread, with its rows,
// where the row follows from the turn alone. Neither is a tile any more.
bool guards_leave_tiles(const tile::TileOp &op, const TileProblem &p) {
    if (op.staged_store || !p.columns) return true;
    constexpr int group = 8; // columns, the least that a thread's pairs reach over
    const int columns = op.result_columns(), column_tiles = (p.columns + columns - 1) / columns;
    return columns < p.columns + group &&
           (p.experts || !op.order.resident || !turns_are_rows(op.order, column_tiles));
}

} // namespace

bool whole_rows(const TileProblem &p) { return p.column_divisor % 8 == 0; }

tile::TileOp tile_op(const Knobs &k, const TileProblem &p) {
    tile::TileOp op;
    op.unit = k["unit"] == "wgmma" ? tile::Unit::wgmma : tile::Unit::mma;
    op.storage = p.storage;
    op.K = p.K;
    op.products = p.products;
    op.gathered = p.gathered;
    op.warpgroups = k.integer("warpgroups");
    op.slabs = k.integer("slabs");
    op.columns = k.integer("columns");
    op.stages = k.integer("stages");
    op.splits = k.integer("splits", 1);
    op.order = {k.integer("row_group"), k.integer("resident")};
    op.staged_store = k["store"] == "staged";
    op.quad_store = k["store"] == "quads";
    op.producer_threads = op.unit == tile::Unit::mma     ? 0
                          : k["producer"] == "warpgroup" ? tile::warpgroup_threads
                                                         : 32;
    op.blocks_per_multiprocessor = k.integer("tile_blocks", 1);
    op.producer_registers = op.consumer_registers = 0;
    if (op.producer_threads == tile::warpgroup_threads) share_registers(op);
    return op;
}

void add_tile_knobs(Space &s, const TileProblem &p, const std::function<bool(const Knobs &)> &on) {
    s.begin_group(on);
    s.knob("unit", std::vector<std::string>{"wgmma", "mma"}, "wgmma",
           "tile: instructions of compute capability 9.0, or of 8.0 and later");
    s.knob("warpgroups", {1, 2}, 2, "tile: warpgroups that multiply");
    s.knob("slabs", {1, 2}, 1, "tile: 64 rows of each of them, so many times");
    s.knob("columns", {16, 32, 40, 48, 64, 96, 128, 192, 240, 256}, 128,
           "tile: columns of all products together");
    s.knob("stages", {2, 3, 4, 5, 6, 8}, 4, "tile: steps of K in shared memory");
    s.knob("row_group", {0, 1, 4, 8, 16}, 8, "tile: row tiles that share a column tile; 0: all");
    s.knob("resident", {0, 132, 264}, 0, "tile: blocks that stay and take tile after tile; 0: one each");
    s.knob("producer", std::vector<std::string>{"warp", "warpgroup"}, "warpgroup", "tile: who copies");
    s.knob("store", std::vector<std::string>{"staged", "direct", "quads"}, p.scattered ? "direct" : "staged",
           "tile: results through shared memory and a tensor map, from registers by pairs of columns, or by "
           "eights that four lanes exchange");
    s.later_knob("tile_blocks", {1, 2}, 1, "tile: resident on a multiprocessor");
    if (p.splits)
        s.later_knob("splits", {1, 2, 4, 8}, 1, "tile: blocks that share one, each with its part of K");
    s.end_group();
    bool maps = whole_rows(p) && !p.scattered, quads = whole_rows(p) && !p.wide_results;
    s.rule([=](const Knobs &k) {
        if (!on(k)) return true;
        return (maps || k["store"] != "staged") && (quads || k["store"] != "quads") &&
               (!p.scattered || k.integer("resident") == 0 || k.integer("row_group") == 0) &&
               (!p.experts || k["unit"] == "wgmma") && passes([&] { tile::check(tile_op(k, p)); }) &&
               guards_leave_tiles(tile_op(k, p), p);
    });
}

} // namespace ks::cuda
