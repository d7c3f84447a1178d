// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/sinkhorn.h"

namespace ks::cuda {
using namespace Halide;

namespace {

constexpr auto guard = TailStrategy::GuardWithIf;

// A block per expert, whose threads share out the tokens.
void schedule_columns(Sinkhorn &op) {
    Var block("block"), one("one");
    op.d1_next.compute_root().split(op.e, block, one, 1).gpu_blocks(block).gpu_threads(one);
    for (auto *sum : {&op.column_tops, &op.column_sums})
        if (*sum) (*sum)->compute_at_block(op.d1_next, block);
}

// A thread per token, serial over experts.
void schedule_rows(const Sinkhorn &op, Func output, const std::vector<Func> &reductions, int threads) {
    Var block("block"), thread("thread");
    output.compute_root().split(op.t, block, thread, threads, guard).gpu_blocks(block).gpu_threads(thread);
    for (Func f : reductions)
        if (f.defined()) f.compute_at(output, thread);
}

} // namespace

Space sinkhorn_space(const Spec &, const Target &) {
    Space s;
    s.knob("partials", {128, 256, 512, 1024}, 512, "threads that share out a column");
    s.knob("threads", {64, 128, 256}, 128, "tokens of a block where a thread has one");
    return s;
}

Kernel sinkhorn_start(const Spec &spec, const Knobs &k, const Target &) {
    Sinkhorn op(sinkhorn_start_contract(), spec, Maths::special_function_unit(), k.integer("partials"));
    schedule_columns(op);
    return {{op.d1_next}, op.operands.arguments(), {}};
}

// Three launches: row scales, column scales from them, the change.
Kernel sinkhorn_pass(const Spec &spec, const Knobs &k, const Target &) {
    Sinkhorn op(sinkhorn_pass_contract(), spec, Maths::special_function_unit(), k.integer("partials"));
    schedule_rows(op, op.d0, {op.rows.top, op.rows.sum}, k.integer("threads"));
    schedule_columns(op);
    Var block("block"), one("one");
    op.change.split(Var::outermost(), Var::outermost(), one, 1)
        .split(Var::outermost(), Var::outermost(), block, 1)
        .gpu_blocks(block)
        .gpu_threads(one);
    op.changes->compute_at_block(op.change, block);
    return {{op.d0, op.d1_next, op.change}, op.operands.arguments(), {}};
}

// Two launches: the plan, eight neighbouring experts and so many tokens a block; then its argmax.
Kernel sinkhorn_plan(const Spec &spec, const Knobs &k, const Target &) {
    Sinkhorn op(sinkhorn_plan_contract(), spec, Maths::special_function_unit());
    constexpr int experts = 8;
    int threads = k.integer("threads");
    Var round("round"), expert("expert"), block("block"), token("token");
    op.plan.compute_root()
        .split(op.e, round, expert, experts, guard)
        .split(op.t, block, token, threads / experts, guard)
        .reorder(round, expert, token, block)
        .gpu_threads(expert, token)
        .gpu_blocks(block);
    schedule_rows(op, op.index, {op.best}, threads);
    return {{op.plan, op.index}, op.operands.arguments(), {}};
}

} // namespace ks::cuda
