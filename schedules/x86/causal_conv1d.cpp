// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/causal_conv1d.h"
#include "dsl/lower/assign_pass.h"

namespace ks::x86 {
using namespace Halide;

namespace {

Maths maths(const Knobs &k) { return Maths(k["rounding"] == "magic" ? Rounding::magic : Rounding::round); }

void rounding_knob(Space &s, const Target &target) {
    bool wide = target.has_feature(Target::AVX512);
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
}

} // namespace

Space causal_conv1d_space(const Spec &, const Target &target) {
    Space s;
    s.knob("channels", {64, 128, 256, 512}, 256,
           "channels of a tile: its rows stay in the first cache for W steps");
    rounding_knob(s, target);
    return s;
}

Kernel causal_conv1d(const Spec &spec, const Knobs &k, const Target &target) {
    CausalConv1d op(causal_conv1d_contract(), spec, maths(k));
    int lanes = target.natural_vector_size<float>();
    Var block("block"), i("i");
    op.y.split(op.d, block, i, k.integer("channels"), TailStrategy::GuardWithIf)
        .reorder(i, op.at, block)
        .vectorize(i, lanes, TailStrategy::GuardWithIf);
    op.y.update().vectorize(op.d, lanes, TailStrategy::GuardWithIf);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.y.name())}};
}

Space causal_conv1d_update_space(const Spec &, const Target &target) {
    Space s;
    rounding_knob(s, target);
    return s;
}

Kernel causal_conv1d_update(const Spec &spec, const Knobs &k, const Target &target) {
    CausalConv1d op(causal_conv1d_update_contract(), spec, maths(k));
    op.y.vectorize(op.d, target.natural_vector_size<float>(), TailStrategy::GuardWithIf);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.y.name())}};
}

} // namespace ks::x86
