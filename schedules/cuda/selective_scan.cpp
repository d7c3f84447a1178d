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
    s.knob("few", {16384, 32768, 65536, 131072}, 65536,
           "up to so many channels of all sequences a channel has lanes");
    s.knob("lanes", {2, 4, 8}, 4, "threads of one of few channels, each with its states");
    s.knob("channels", {32, 64}, 64, "channels of a block where they are few");
    s.knob("threads", {64, 128, 256}, 128, "channels of a block where they are many, one a thread");
    s.knob("resident", {512, 768, 1024}, 512, "threads of a multiprocessor, which share its registers");
    return s;
}

// Memory is waited for once: all that a thread reads it asks for before it stores anything; for the usual
// number of states that takes kernels without loops. Few channels are spread over lanes, to fill the device;
// many are not, so that a warp reads long rows. A call runs one of the four kernels.
Kernel selective_state_update(const Spec &spec, const Knobs &k, const Target &) {
    const int usual_states = 16;
    SelectiveScan op(selective_state_update_contract(), spec, Maths::special_function_unit());
    int lanes = k.integer("lanes"), channels = k.integer("channels"), threads = k.integer("threads");
    Step spread(op.recurrence, usual_states / lanes, {}, "spread", StepOrder::all_loads_first, lanes);
    Step whole(op.recurrence, usual_states, {}, "whole", StepOrder::all_loads_first);
    ImageParam u = op.operands.buffer("u");
    Expr many = u.dim(0).extent() * u.dim(1).extent() > k.integer("few");
    Func total("total");
    total(op.d, op.at) =
        select(many, whole.out.func(op.d, op.at), lane_sum(spread.out.func(op.d, op.at), lanes));
    Func y = op.output(total);

    Var block("block"), i("i");
    auto plan = [&](const Expr &condition, int count) {
        y.specialize(condition)
            .split(op.d, block, i, count, TailStrategy::GuardWithIf)
            .reorder(i, op.at, block)
            .gpu_blocks(op.at, block)
            .gpu_threads(i)
            .never_partition_all();
    };
    bool any_states = !as_const_int(op.recurrence.states);
    Expr usual = op.recurrence.states == usual_states;
    if (any_states) plan(many && usual, threads);
    plan(many, threads);
    if (any_states) plan(!many && usual, channels);
    plan(!many, channels);
    y.specialize_fail("few channels or many");
    op.step.compute_at(y, i);
    for (const Step *update : {&spread, &whole}) {
        Func(update->out.func).compute_at(y, i);
        update->check(y);
    }
    int largest = std::max(channels * lanes, threads), blocks = std::max(k.integer("resident") / largest, 1);
    DeviceCode device = {
        {[=](const std::string &ptx) { return ptx::with_launch_bounds(ptx, largest, blocks); }},
        lane_expansions(),
        0};
    return {{y},
            op.operands.arguments(),
            {std::make_shared<LanesPass>(lanes), spread.pass, whole.pass, std::make_shared<LoadsFirstPass>()},
            device};
}

} // namespace ks::cuda
