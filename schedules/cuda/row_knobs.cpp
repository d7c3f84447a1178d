// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/row_knobs.h"
#include <algorithm>

namespace ks::cuda {

namespace {

// The longest vectors of both operands that divide K.
int vector_of(const RowProblem &p) {
    int vector = p.w == Storage::f32 ? 4 : 8;
    while (p.divisor % vector) vector /= 2;
    return vector;
}

int rounds(const tile::RowPlan &plan, const RowProblem &p) {
    constexpr int of_unknown = 16;
    return p.K ? (p.K + plan.round() - 1) / plan.round() : of_unknown;
}

bool every_thread_works(const tile::RowPlan &plan, const RowProblem &p) {
    return !p.K || plan.slices == 1 || plan.round() < 2 * p.K;
}

// Of a thread: its sums, the words of one step, addresses.
int least_registers(const tile::RowPlan &plan, const RowProblem &p) {
    constexpr int addresses = 24;
    int columns = plan.columns * p.parts, words_of_x = plan.vector * bytes_of(p.x) / 4,
        words_of_w = plan.vector * bytes_of(p.w) / 4;
    if (plan.mma()) // of two rows of weights, and of one of x for every 8
        return columns * plan.rows / 2 * plan.steps + 2 * columns * words_of_w + plan.rows / 8 * words_of_x +
               addresses;
    return columns * plan.rows + columns * words_of_w + plan.rows * words_of_x + addresses;
}

bool is_legal(const tile::RowPlan &plan, const RowProblem &p) {
    if (!passes([&] { tile::check(plan, p.x, p.w, p.K, p.parts); })) return false;
    bool some_threads = plan.threads() >= 64 && plan.threads() * plan.blocks >= 256;
    return some_threads && every_thread_works(plan, p) && plan.unroll < 2 * rounds(plan, p) &&
           least_registers(plan, p) <= std::min(65536 / (plan.threads() * plan.blocks), 255) &&
           plan.block_columns() <= std::max(16, p.columns ? p.columns : 1024);
}

} // namespace

tile::RowPlan row_plan(const Knobs &k, const RowProblem &p) {
    tile::RowPlan plan;
    plan.unit = k["row_unit"] == "mma" ? tile::RowUnit::mma : tile::RowUnit::fma;
    plan.vector = vector_of(p);
    plan.rows = k.integer("rows");
    plan.columns = k.integer("row_columns");
    plan.groups = k.integer("groups");
    plan.slices = k.integer("slices");
    plan.steps = k.integer("steps");
    plan.unroll = k.integer("unroll");
    plan.prefetch = k.integer("prefetch");
    plan.blocks = k.integer("blocks");
    return plan;
}

void add_row_knobs(Space &s, const RowProblem &p, const std::function<bool(const Knobs &)> &on) {
    // The defaults are those of every spec, so that a base kernel is a point of any space: what was best on
    // an H100 for all projections of BlackMamba in bf16 with 8 rows. Others choose fma.
    s.begin_group(on);
    s.knob("row_unit", std::vector<std::string>{"mma", "fma"}, "mma",
           "rows: tensor cores, or lanes with sums of their own");
    s.knob("rows", {1, 2, 4, 8, 16}, 8, "rows: those of x in one pass over the weights");
    s.knob("row_columns", {1, 2}, 1, "rows: columns of a warp; mma: groups of 16 of them");
    s.knob("groups", {1, 2, 4, 8}, 1, "rows: warps of a block with columns of their own");
    s.knob("slices", {1, 2, 4, 8, 12, 16, 20, 24, 32}, 16, "rows: parts of K, each with warps of its own");
    s.knob("steps", {1, 2}, 1, "rows: neighbouring loads of a thread");
    s.knob("unroll", {1, 2, 4, 8, 16}, 4, "rows: rounds over K without a loop");
    s.knob("prefetch", {0, 128}, 128, "rows: bytes that a load brings into the L2 cache at least");
    s.knob("blocks", {1, 2, 4, 6}, 2, "rows: resident on a multiprocessor");
    s.end_group();
    s.rule([=](const Knobs &k) { return !on(k) || is_legal(row_plan(k, p), p); });
}

} // namespace ks::cuda
