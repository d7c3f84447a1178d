// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/embedding.h"

namespace ks::x86 {
using namespace Halide;

Space embedding_space(const Spec &, const Target &) { return Space(); } // bound by memory: nothing to choose

Kernel embedding(const Spec &spec, const Knobs &, const Target &target) {
    Embedding op(spec);
    op.y.vectorize(op.h, target.natural_vector_size<float>(), TailStrategy::GuardWithIf);
    return {{op.y}, op.operands.arguments(), {}};
}

} // namespace ks::x86
