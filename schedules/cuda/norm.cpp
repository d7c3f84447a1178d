// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/norm.h"
#include "dsl/lower/assign_pass.h"

namespace ks::cuda {
using namespace Halide;

Space norm_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {64, 128, 256, 512}, 256, "threads of a row, which is a block");
    return s;
}

namespace {

Kernel norm(const Contract &contract, const Spec &spec, const Knobs &k) {
    int threads = k.integer("threads");
    Norm op(contract, spec, threads, 16);
    Var round("round"), i("i");
    op.y.split(op.h, round, i, threads, TailStrategy::GuardWithIf)
        .reorder(round, i, op.t)
        .gpu_threads(i)
        .gpu_blocks(op.t);
    op.first->compute_at_block(op.y, op.t);
    if (op.second) op.second->compute_at_block(op.y, op.t);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.first->partial.name())}};
}

} // namespace

Kernel rms_norm(const Spec &spec, const Knobs &k, const Target &) {
    return norm(rms_norm_contract(), spec, k);
}
Kernel layer_norm(const Spec &spec, const Knobs &k, const Target &) {
    return norm(layer_norm_contract(), spec, k);
}

} // namespace ks::cuda
