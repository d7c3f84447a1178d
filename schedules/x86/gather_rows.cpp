// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/gather_rows.h"

namespace ks::x86 {
using namespace Halide;

Space gather_rows_space(const Spec &, const Target &) {
    return Space();
} // bound by memory: nothing to choose

Kernel gather_rows(const Spec &spec, const Knobs &, const Target &target) {
    GatherRows op(spec);
    op.y.vectorize(op.k, target.natural_vector_size<float>(), TailStrategy::GuardWithIf);
    return {{op.y}, op.operands.arguments(), {}};
}

} // namespace ks::x86
