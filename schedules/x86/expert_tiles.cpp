// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/expert_tiles.h"

namespace ks::x86 {
using namespace Halide;

Space expert_tiles_space(const Spec &, const Target &) {
    return Space();
} // a few integers: nothing to choose

// Tile by tile, both outputs, slots in vector lanes.
Kernel expert_tiles(const Spec &spec, const Knobs &, const Target &target) {
    ExpertTiles op(spec, false);
    for (Func f : {op.rows, op.experts})
        f.compute_root().vectorize(op.b, target.natural_vector_size<int>(), TailStrategy::GuardWithIf);
    op.needed.compute_root().store_in(MemoryType::Stack).bound_storage(op.e, ExpertTiles::most_experts);
    op.experts.compute_with(op.rows, op.g);
    op.found.compute_at(op.rows, op.g).store_in(MemoryType::Stack);
    return {{op.rows, op.experts}, op.operands.arguments(), {}};
}

} // namespace ks::x86
