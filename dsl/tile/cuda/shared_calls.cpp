// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/shared_calls.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/quad_exchange.h"
#include "dsl/tile/cuda/shared_layout.h"

namespace ks::tile {

namespace {

constexpr int consumers_barrier = 15; // named; those of warpgroups begin at 1

// Bytes to elements of Halide's shared memory behind ours.
void shared_base(Code &code, const TileOp &op, const ptx::PseudoCall &call) {
    code("add.u32 ", call.result, ", %ks_base, ", SharedLayout(op).halide, ";");
    code("div.u32 ", call.result, ", ", call.result, ", ", number(call, 1), ";");
}

void set_length(Code &code, const ptx::PseudoCall &call) {
    code("mov.b32 %ks_k, ", call.arguments.at(0), ";");
    code("add.u32 %ks_steps, %ks_k, ", step_k - 1, ";");
    code("div.u32 %ks_steps, %ks_steps, ", step_k, ";");
}

} // namespace

std::string steps_of(const TileOp &op) { return op.K ? std::to_string(op.steps()) : "%ks_steps"; }

std::map<std::string, ptx::Expansion> shared_expansions(const TileOp &op) {
    std::map<std::string, ptx::Expansion> all;
    using Call = const ptx::PseudoCall &;
    for (int i = 0; i < op.accumulators(); i++)
        all[calls::accumulator + std::to_string(i)] =
            expansion([i](Code &code, Call c) { code("mov.b32 ", c.result, ", %ks_acc", i, ";"); });
    all[calls::operand] = expansion([](Code &, Call) {});
    all[calls::length] = expansion([](Code &code, Call c) { set_length(code, c); });
    all[calls::set_row] = expansion(
        [](Code &code, Call c) { code("mov.b32 %ks_row", number(c, 0), ", ", c.arguments.at(1), ";"); });
    all[calls::barrier] = expansion(
        [op](Code &code, Call) { code("bar.sync ", consumers_barrier, ", ", op.consumers(), ";"); });
    all[calls::store_quad] = expansion([](Code &code, Call c) { store_quad(code, c); });
    all[calls::shared_base] = expansion([op](Code &code, Call c) { shared_base(code, op, c); });
    return all;
}

} // namespace ks::tile
