// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/expert_tiles.h"

namespace ks::cuda {
using namespace Halide;

Space expert_tiles_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {32, 64, 128, 256}, 128, "slots of a block, which are of one tile");
    return s;
}

// A thread per slot. A block's threads share out how many tiles the experts need; then every one looks for
// the expert of its tile.
Kernel expert_tiles(const Spec &spec, const Knobs &k, const Target &) {
    ExpertTiles op(spec, true);
    int threads = k.integer("threads");
    Var block("block"), thread("thread"), round("round"), expert("expert");
    op.slots.split(op.b, block, thread, threads, TailStrategy::GuardWithIf)
        .reorder(thread, op.g, block)
        .gpu_threads(thread)
        .gpu_blocks(op.g, block); // tiles first: the other dimensions of a grid end at 65535
    op.needed.compute_at(op.slots, op.g)
        .store_in(MemoryType::GPUShared)
        .bound_storage(op.e, ExpertTiles::most_experts)
        .split(op.e, round, expert, threads, TailStrategy::GuardWithIf)
        .reorder(round, expert)
        .gpu_threads(expert);
    op.found.compute_at(op.slots, thread);
    Kernel kernel{{op.slots}, op.operands.arguments(), {}};
    kernel.device.early_successor = true;
    return kernel;
}

} // namespace ks::cuda
