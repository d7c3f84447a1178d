// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/norm.h"
#include "dsl/lower/assign_pass.h"

namespace ks::x86 {
using namespace Halide;

Space norm_space(const Spec &, const Target &) {
    Space s;
    s.knob("vectors", {1, 2, 4, 8}, 4, "vectors of a row in flight in its sums");
    return s;
}

namespace {

Kernel norm(const Contract &contract, const Spec &spec, const Knobs &k, const Target &target) {
    int lanes = target.natural_vector_size<float>();
    int partials = lanes * k.integer("vectors");
    Norm op(contract, spec, partials, partials);
    op.y.vectorize(op.h, lanes, TailStrategy::GuardWithIf);
    // One row at a time, so that its later passes find the sum in the first cache.
    op.first->compute_at(op.y, op.t, lanes);
    if (op.second) op.second->compute_at(op.y, op.t, lanes);
    return {{op.y}, op.operands.arguments(), {std::make_shared<AssignPass>(op.first->partial.name())}};
}

} // namespace

Kernel rms_norm(const Spec &spec, const Knobs &k, const Target &target) {
    return norm(rms_norm_contract(), spec, k, target);
}

Kernel layer_norm(const Spec &spec, const Knobs &k, const Target &target) {
    return norm(layer_norm_contract(), spec, k, target);
}

} // namespace ks::x86
