// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/sinkhorn.h"

namespace ks::x86 {
using namespace Halide;

namespace {

constexpr auto guard = TailStrategy::GuardWithIf;

Maths maths(const Knobs &k) { return Maths(k["rounding"] == "magic" ? Rounding::magic : Rounding::round); }

// Experts in lanes, serial over tokens; the sums lie in a fixed number of stack bytes.
void schedule_columns(const Sinkhorn &op, int lanes) {
    for (Func f : {op.columns.top, op.columns.sum}) {
        if (!f.defined()) continue;
        f.compute_root().store_in(MemoryType::Stack).bound_storage(op.e, Sinkhorn::most_experts);
        f.vectorize(op.e, lanes, guard).update().reorder(op.e, f.rvars()[0]).vectorize(op.e, lanes, guard);
    }
}

// Tokens in lanes, serial over experts.
void schedule_rows(const Sinkhorn &op, Func output, std::vector<Func> reductions, int lanes) {
    Var tile("tile"), i("i");
    output.compute_root().split(op.t, tile, i, lanes, guard).vectorize(i);
    for (Func f : reductions) {
        if (!f.defined()) continue;
        f.compute_at(output, tile).store_in(MemoryType::Stack).bound_storage(op.t, lanes);
        f.vectorize(op.t, lanes, guard).update().vectorize(op.t, lanes, guard);
    }
}

} // namespace

Space sinkhorn_space(const Spec &, const Target &target) {
    bool wide = target.has_feature(Target::AVX512);
    Space s;
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
    return s;
}

Kernel sinkhorn_start(const Spec &spec, const Knobs &k, const Target &target) {
    Sinkhorn op(sinkhorn_start_contract(), spec, maths(k));
    schedule_columns(op, target.natural_vector_size<double>());
    return {{op.d1_next}, op.operands.arguments(), {}};
}

Kernel sinkhorn_pass(const Spec &spec, const Knobs &k, const Target &target) {
    Sinkhorn op(sinkhorn_pass_contract(), spec, maths(k));
    schedule_columns(op, target.natural_vector_size<double>());
    schedule_rows(op, op.d0, {op.rows.top, op.rows.sum}, target.natural_vector_size<float>());
    op.d1_next.compute_root();
    op.error.compute_root().store_in(MemoryType::Stack);
    return {{op.d0, op.d1_next, op.change}, op.operands.arguments(), {}};
}

Kernel sinkhorn_plan(const Spec &spec, const Knobs &k, const Target &target) {
    Sinkhorn op(sinkhorn_plan_contract(), spec, maths(k));
    int lanes = target.natural_vector_size<float>();
    op.plan.compute_root().vectorize(op.e, target.natural_vector_size<double>(), guard);
    schedule_rows(op, op.index, {op.best}, lanes);
    return {{op.plan, op.index}, op.operands.arguments(), {}};
}

} // namespace ks::x86
