// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/selective_scan.h"
#include "dsl/lower/lanes_pass.h"
#include "dsl/lower/loads_first_pass.h"
#include "dsl/recurrence/in_order.h"
#include "dsl/recurrence/step.h"

namespace ks::cuda {
using namespace Halide;
using Halide::Internal::as_const_int;

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
    s.knob("channels", {32, 64, 128, 256}, 64, "channels of a block");
    s.knob("lanes", {1, 2, 4, 8}, 4, "threads of a channel, each with its states");
    s.knob("group", {4, 8, 16}, 4, "states of a thread whose update is unrolled: all are loaded before one is stored");
    s.knob("resident", {512, 768, 1024}, 1024, "threads of a multiprocessor, which share its registers");
    return s;
}

// Memory is waited for once: all that a thread reads it asks for before it stores anything. For the usual number
// of states that takes a kernel without loops, of its own.
Kernel selective_state_update(const Spec &spec, const Knobs &k, const Target &) {
    const int usual_states = 16;
    SelectiveScan op(selective_state_update_contract(), spec, Maths::special_function_unit());
    int lanes = k.integer("lanes"), threads = k.integer("channels"),
        blocks = std::max(k.integer("resident") / (threads * lanes), 1);
    Step update(op.recurrence, k.integer("group"), {}, "read", StepOrder::all_loads_first, lanes);
    Func total("total");
    total(op.d, op.at) = lane_sum(update.out.func(op.d, op.at), lanes);
    Func y = op.output(total);

    Var block("block"), i("i");
    y.split(op.d, block, i, threads, TailStrategy::GuardWithIf)
        .reorder(i, op.at, block)
        .gpu_blocks(op.at, block)
        .gpu_threads(i)
        .never_partition_all();
    if (!as_const_int(op.recurrence.states)) y.specialize(op.recurrence.states == usual_states);
    op.step.compute_at(y, i);
    update.out.func.compute_at(y, i);
    update.check(y);
    std::shared_ptr<LoweringPass> split = lanes > 1 ? std::make_shared<LanesPass>(lanes) : nullptr;
    // All that a thread reads lies in registers at once.
    DeviceCode device = {{[=](const std::string &ptx) { return ptx::with_launch_bounds(ptx, threads * lanes, blocks); }},
                         lane_expansions(),
                         0};
    return {{y}, op.operands.arguments(), {split, update.pass, std::make_shared<LoadsFirstPass>()}, device};
}

} // namespace ks::cuda
