// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/causal_conv1d.h"
#include "dsl/lower/assign_pass.h"

namespace ks::cuda {
using namespace Halide;

Space causal_conv1d_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {64, 128, 256}, 128, "channels of a block, one a thread");
    s.knob("steps", {4, 8, 16, 32}, 16, "time steps of a thread, which loads each input once"); // at least W
    return s;
}

// A thread walks `steps` steps of a channel, unrolled: of W taps all but one are inputs that it has already.
Kernel causal_conv1d(const Spec &spec, const Knobs &k, const Target &) {
    CausalConv1d op(causal_conv1d_contract(), spec, Maths::special_function_unit(), Batch::packed);
    Var block("block"), i("i"), tile("tile"), t("ti"), sequence = op.operands.point({})[0];
    op.y.split(op.d, block, i, k.integer("threads"), TailStrategy::GuardWithIf)
        .split(op.at, tile, t, k.integer("steps"), TailStrategy::GuardWithIf)
        .reorder(t, i, tile, block, sequence)
        .unroll(t)
        .gpu_threads(i)
        .gpu_blocks(tile, block, sequence);
    return {{op.y},
            op.operands.arguments(),
            {std::make_shared<AssignPass>(op.y.name()), op.operands.sequence_pass(op.y, "x")}};
}

Space causal_conv1d_update_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {64, 128, 256}, 128, "channels of a block, one a thread");
    return s;
}

Kernel causal_conv1d_update(const Spec &spec, const Knobs &k, const Target &) {
    CausalConv1d op(causal_conv1d_update_contract(), spec, Maths::special_function_unit());
    Var block("block"), i("i");
    op.y.split(op.d, block, i, k.integer("threads"), TailStrategy::GuardWithIf)
        .reorder(i, op.at, block)
        .gpu_threads(i)
        .gpu_blocks(op.at, block);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.y.name())}};
}

} // namespace ks::cuda
