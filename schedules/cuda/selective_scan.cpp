// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/selective_scan.h"
#include "dsl/recurrence/in_order.h"
#include "dsl/recurrence/step.h"

namespace ks::cuda {
using namespace Halide;

Space selective_scan_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {32, 64, 128, 256}, 128, "channels of a block, one a thread");
    s.knob("steps", {8, 16, 32}, 16, "time steps of a tile, whose softplus is done ahead of the recurrence");
    s.knob("group", {4, 8, 16}, 16, "states held in registers by one time loop");
    return s;
}

// A block owns `threads` channels of one sequence. Per tile of steps, in shared memory: delta and delta u of
// its channels, B and C; then every thread walks the tile with a group of states in registers, then with the
// next.
Kernel selective_scan(const Spec &spec, const Knobs &k, const Target &) {
    SelectiveScan op(selective_scan_contract(), spec, Maths::special_function_unit(), Batch::packed);
    int threads = k.integer("threads"), steps = k.integer("steps");
    InOrder scan(op.recurrence, k.integer("group"), {}, "read");
    Func y = op.output(scan.out.func);

    Var block("block"), tile("tile"), i("i"), t("ti"), sequence = op.recurrence.outer[0];
    y.split(op.d, block, i, threads, TailStrategy::GuardWithIf)
        .split(op.at, tile, t, steps, TailStrategy::GuardWithIf)
        .reorder(t, i, tile, sequence, block)
        .gpu_blocks(sequence, block) // the other dimensions of a grid end at 65535
        .gpu_threads(i);
    op.step.compute_at(y, tile).gpu_threads(op.d);
    scan.out.func.compute_at(y, tile);
    scan.out.spread_over_threads(threads);
    for (const Func &f : {op.step, scan.out.func})
        Func(f).store_in(MemoryType::GPUShared).bound_storage(op.d, threads).bound_storage(op.at, steps);
    scan.check(y);
    return {{y}, op.operands.arguments(), {scan.pass, op.operands.sequence_pass(y, "u")}};
}

Space selective_state_update_space(const Spec &, const Target &) {
    Space s;
    s.knob("threads", {32, 64, 128, 256}, 128, "channels of a block, one a thread");
    s.knob("group", {4, 8, 16}, 16, "states whose update is unrolled");
    return s;
}

Kernel selective_state_update(const Spec &spec, const Knobs &k, const Target &) {
    SelectiveScan op(selective_state_update_contract(), spec, Maths::special_function_unit());
    int threads = k.integer("threads");
    Step update(op.recurrence, k.integer("group"), {}, "read");
    Func y = op.output(update.out.func);

    Var block("block"), i("i");
    y.split(op.d, block, i, threads, TailStrategy::GuardWithIf)
        .reorder(i, op.at, block)
        .gpu_blocks(op.at, block)
        .gpu_threads(i);
    op.step.compute_at(y, i);
    update.out.func.compute_at(y, i);
    update.check(y);
    return {{y}, op.operands.arguments(), {update.pass}};
}

} // namespace ks::cuda
