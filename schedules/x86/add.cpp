// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/add.h"

namespace ks::x86 {
using namespace Halide;

Space add_space(const Spec &, const Target &) { return Space(); } // bound by memory: nothing to choose

Kernel add(const Spec &spec, const Knobs &, const Target &target) {
    Add op(spec);
    op.y.vectorize(op.h, target.natural_vector_size<float>(), TailStrategy::GuardWithIf);
    return {{op.y}, op.operands.arguments(), {}};
}

} // namespace ks::x86
