// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/router.h"
#include "dsl/lower/assign_pass.h"
#include "dsl/ptx/instructions.h"

namespace ks::cuda {
using namespace Halide;

namespace {

constexpr auto guard = TailStrategy::GuardWithIf;

void choose_at(const RouterByVotes::Choice &c, const LoopLevel &level) {
    Func(c.best).compute_at(level);
    if (c.spread.defined()) Func(c.spread).compute_at(level);
}

// A thread per token.
void first_stage(RouterByVotes &op, int threads) {
    RVar block("block"), thread("thread");
    op.permutation.update(0)
        .allow_race_conditions()
        .split(op.token, block, thread, threads, guard)
        .gpu_blocks(block)
        .gpu_threads(thread);
    choose_at(op.by_itself, {op.permutation, thread});
}

// A block per expert, a warp per part of the tokens.
void second_stage(RouterByVotes &op) {
    auto &g = op.apart;
    op.permutation.update(1).allow_race_conditions().unroll(g.slot).gpu_blocks(g.block).gpu_threads(g.lane,
                                                                                                    g.row);
    g.shared.compute_at(op.permutation, g.block)
        .store_in(MemoryType::GPUShared)
        .bound(g.l, 0, op.lanes)
        .bound(g.p, 0, op.parts)
        .gpu_threads(g.l, g.p);
    g.tally.compute_at(g.shared, g.l);
    g.tally.update().unroll(g.tally.rvars(0)[0]);
    g.cursor.compute_at(op.permutation, g.lane);
    g.place.compute_at(op.permutation, g.step).unroll(g.j);
}

// One block: a thread per token, then a warp per expert.
void one_block(RouterByVotes &op, const RouterByVotes::Plan &plan) {
    auto &g = op.together;
    op.permutation.update(2).allow_race_conditions().unroll(g.slot).gpu_blocks(g.block).gpu_threads(g.lane,
                                                                                                    g.row);
    Var row("row"), lane("lane"), rows("rows"), thread("thread");
    op.chosen.compute_at(op.permutation, g.block)
        .store_in(MemoryType::GPUShared)
        .bound_storage(op.t, plan.most_tokens())
        .split(op.t, row, lane, op.lanes, guard)
        .split(row, rows, thread, plan.warps, guard)
        .reorder(rows, lane, thread)
        .gpu_threads(lane, thread);
    choose_at(op.beside, {op.chosen, rows});
    g.tally.compute_at(op.permutation, g.round).update().unroll(g.tally.rvars(0)[0]);
    g.cursor.compute_at(op.permutation, g.round);
    g.place.compute_at(op.permutation, g.step).unroll(g.j);
}

} // namespace

Space router_space(const Spec &, const Target &) {
    Space s;
    s.knob("one_block", {0, 2048, 4096, 8192, 16384, 32768}, 8192,
           "most tokens times experts (at least 8) that one block takes, in one launch");
    s.knob("warps", {8, 16, 32}, 16, "of the one block");
    s.knob("block_batch", {1, 2, 4, 8}, 4, "times 32 tokens that a warp of it reads at once");
    s.knob("threads", {64, 128, 256}, 128, "tokens of a block when there are many");
    s.knob("batch", {2, 4, 8}, 8, "times 32 tokens that a warp reads at once then");
    return s;
}

Kernel router(const Spec &spec, const Knobs &k, const Target &) {
    RouterByVotes::Plan plan{k.integer("one_block"), k.integer("warps"), k.integer("block_batch"),
                             k.integer("batch")};
    RouterByVotes op(spec, Maths::special_function_unit(), plan);
    first_stage(op, k.integer("threads"));
    second_stage(op);
    std::vector<std::string> assigning = {op.permutation.name(), op.apart.cursor.name(),
                                          op.apart.place.name()};
    if (plan.in_one_block) {
        one_block(op, plan);
        for (const Func &f : {op.chosen, op.together.cursor, op.together.place})
            assigning.push_back(f.name());
    }
    Kernel kernel{{op.permutation}, op.operands.arguments(), {}};
    for (const std::string &func : assigning) kernel.passes.push_back(std::make_shared<AssignPass>(func));
    kernel.device.expansions = ptx::instructions();
    kernel.device.early_successor = true;
    return kernel;
}

} // namespace ks::cuda
