// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/router.h"
#include "dsl/lower/assign_pass.h"

namespace ks::x86 {
using namespace Halide;

Space router_space(const Spec &, const Target &target) {
    bool wide = target.has_feature(Target::AVX512);
    Space s;
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
    return s;
}

// Tokens in vector lanes; the grouping is serial.
Kernel router(const Spec &spec, const Knobs &k, const Target &target) {
    Router op(spec, Maths(k["rounding"] == "magic" ? Rounding::magic : Rounding::round));
    int lanes = target.natural_vector_size<float>();
    auto tail = TailStrategy::GuardWithIf;
    auto by_vector = [&](Func inner, Func output) {
        Var tile("tile"), i("i");
        output.split(op.t, tile, i, lanes, tail).vectorize(i);
        inner.compute_at(output, tile).store_in(MemoryType::Stack).bound_storage(op.t, lanes);
        inner.vectorize(op.t, lanes, tail).update().vectorize(op.t, lanes, tail);
    };
    by_vector(op.best, op.index);
    if (op.spread.defined())
        by_vector(op.spread, op.gate);
    else
        op.gate.vectorize(op.t, lanes, tail);
    for (Func f : {op.index, op.gate, op.counts, op.offsets}) f.compute_root();
    op.cursor.compute_root().store_in(MemoryType::Stack).bound_storage(op.e, Router::most_experts);
    return {{op.index, op.gate, op.counts, op.offsets, op.permutation},
            op.operands.arguments(),
            {std::make_shared<AssignPass>(op.permutation.name())}};
}

} // namespace ks::x86
