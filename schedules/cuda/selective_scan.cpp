// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/selective_scan.h"
#include "dsl/lower/aligned_pass.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/lower/words_pass.h"
#include "dsl/ptx/async_copies.h"
#include "dsl/ptx/instructions.h"
#include "dsl/recurrence/in_order.h"
#include "dsl/recurrence/states_over_lanes.h"
#include "dsl/recurrence/time_in_lanes.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks::cuda {
using namespace Halide;

namespace {

// Of f32 operands the consumer's are twice as many words: they are loaded late unless a point says otherwise.
bool loads_late_by_default(const Spec &spec) {
    return spec.choices.count("io") && spec.choice("io") == "f32";
}

LanesPlan lanes_plan(const Spec &spec, const Knobs &k) {
    LanesPlan plan;
    plan.lanes = k.integer("lanes");
    plan.warps = k.integer("warps");
    plan.groups = k.integer("tile") / plan.group_steps();
    plan.polynomial = k.integer("polynomial");
    plan.position = k.integer("position");
    plan.load_late = k.integer("load_late", loads_late_by_default(spec));
    return plan;
}

int known_states(const Spec &spec) { // 0: any number
    auto N = spec.fixed.find("N");
    return N == spec.fixed.end() ? 0 : static_cast<int>(N->second);
}

// Where sizes are known the rows of B begin at multiples of 16 bytes: the caller's promise.
TimePlan time_plan(const Spec &spec, const Knobs &k) {
    TimePlan plan;
    plan.channels = k.integer("warp_channels", plan.channels);
    plan.warps = k.integer("time_warps", plan.warps);
    plan.steps = k.integer("thread_steps", plan.steps);
    plan.states = k.integer("thread_states", plan.states);
    plan.own = k.integer("thread_channels", plan.own);
    int vector = spec.choices.count("io") && spec.choice("io") == "f32" ? 4 : 8, N = known_states(spec);
    int group = TimePlan::group_of(N);
    if (N && N % group == 0 && group % vector == 0) plan.weights_vector = vector;
    return plan;
}

constexpr int lanes_states = 16, least_channels = 8; // of a block

// States over lanes wants 16 states and whole blocks of channels. Rows of u, dt, z, B and C must begin at
// multiples of 16 bytes, of y of a pair: the caller's promise.
bool lanes_can_serve(const Spec &spec) {
    return spec.choices.count("io") && known_states(spec) == lanes_states &&
           spec.divisor("D") % least_channels == 0;
}

// A block owns `threads` channels of one sequence. Per tile of steps, in shared memory: delta and delta u of
// its channels, B and C; then every thread walks the tile with a group of states in registers, then with the
// next.
Kernel in_order(const Spec &spec, const Knobs &k) {
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

Maths maths_for(const Spec &spec, const Knobs &k) {
    return spec.choice("io") == "f32" ? Maths::special_function_unit()
                                      : Maths::special_function_unit_for_16_bits(k.integer("tanh"));
}

// Few channels with long sequences, and what states over lanes cannot serve.
Kernel time_in_lanes(const Spec &spec, const Knobs &k) {
    SelectiveScan op(selective_scan_contract(), spec, maths_for(spec, k), Batch::packed);
    op.operands.convert_by_call();
    TimePlan plan = time_plan(spec, k);
    TimeInLanes scan(op.recurrence, plan, op.operands.width("D", "u"), op.operands.steps("u"));
    Func y = op.output(scan.read);
    scan.schedule(y);

    Kernel kernel{{y}, op.operands.arguments(), {op.operands.sequence_pass(y, "u")}};
    for (auto &pass : scan.passes(y)) kernel.passes.push_back(pass);
    kernel.passes.push_back(std::make_shared<PackPass>());
    if (plan.weights_vector > 1) kernel.passes.push_back(std::make_shared<AlignedPass>());
    kernel.device.expansions = ptx::instructions();
    kernel.device.max_registers = k.integer("registers");
    return kernel;
}

Kernel over_lanes(const Spec &spec, const Knobs &k) {
    const std::string &io = spec.choice("io");
    bool f32 = io == "f32";
    Maths maths = maths_for(spec, k);
    SelectiveScan op(selective_scan_contract(), spec, maths, Batch::packed, true);
    LanesPlan plan = lanes_plan(spec, k);
    Func y("y");
    StatesOverLanes scan(op.recurrence, plan, op.operands.steps("u"), y);
    scan.consume(op.gated(scan.read), f32 ? pair_f32 : io == "bf16" ? ptx::pack_bf16 : ptx::pack_f16);
    op.operands.promise(y);

    Kernel kernel{{y}, op.operands.arguments(), {op.operands.sequence_pass(y, "u")}};
    for (auto &pass : scan.passes()) kernel.passes.push_back(pass);
    int copies = scan.copies();
    kernel.device.edits = {[copies](const std::string &ptx) {
        ptx::AsyncCopies made = ptx::async_copies(ptx);
        if (made.count < copies) throw Error("selective_scan", "its copies are not asynchronous");
        return made.ptx;
    }};
    kernel.device.expansions = ptx::instructions();
    kernel.device.max_registers = k.integer("registers");
    return kernel;
}

} // namespace

Space selective_scan_space(const Spec &spec, const Target &) {
    bool lanes = lanes_can_serve(spec);
    int64_t channels = spec.divisor("D");
    const std::string io = spec.choices.count("io") ? spec.choice("io") : "";
    bool f32 = io == "f32", bf16 = io == "bf16";
    Space s;
    s.knob("execution", std::vector<std::string>{"in_order", "states_over_lanes", "time_in_lanes"},
           lanes ? "states_over_lanes" : "time_in_lanes", "how the recurrence is carried out");
    auto is = [](std::vector<std::string> executions) { // one kernel is one point: the others' knobs rest
        return [executions](const Knobs &k) {
            return std::count(executions.begin(), executions.end(), k["execution"]) > 0;
        };
    };
    s.begin_group(is({"in_order"}));
    s.knob("threads", {32, 64, 128, 256}, 128, "in_order: channels of a block, one a thread");
    s.knob("steps", {8, 16, 32}, 16,
           "in_order: time steps of a tile, whose softplus is done ahead of the recurrence");
    s.knob("group", {4, 8, 16}, 16, "in_order: states held in registers by one time loop");
    s.begin_group(is({"states_over_lanes"}));
    s.knob("lanes", {4, 8}, 8, "states_over_lanes: lanes that share a channel (8) or a pair (4)");
    s.knob("warps", {1, 2, 4}, 2, "states_over_lanes: warps of a block");
    s.knob("tile", {16, 32, 64}, 32, "states_over_lanes: time steps of a tile");
    s.knob("polynomial", {0, 4, 8}, 0, "states_over_lanes: every n-th exp on the FMA pipe");
    s.knob("position", {0, 1, 2, 3, 4, 5, 6, 7}, 0, "states_over_lanes: which of the n");
    s.later_knob(
        "load_late", {0, 1}, loads_late_by_default(spec),
        "states_over_lanes: what the outputs read is loaded after the recurrence, for fewer registers");
    s.begin_group(is({"states_over_lanes", "time_in_lanes"}));
    s.knob("tanh", {0, 1}, bf16, "16 bits over lanes: silu by tanh.approx, 2.5e-4 of z off");
    s.knob("registers", {96, 128, 144, 160, 168, 176, 184, 200, 255}, 168,
           "of a thread, over lanes; changes what ptxas interleaves");
    const TimePlan usual;
    s.begin_group(is({"time_in_lanes"}));
    s.later_knob("warp_channels", {1, 2, 4, 8, 16}, usual.channels,
                 "time_in_lanes: channels of a warp, whose lanes share the time");
    s.later_knob("time_warps", {1, 2, 4, 6, 8, 12}, usual.warps, "time_in_lanes: warps of a block");
    s.later_knob("thread_steps", {8, 16}, usual.steps, "time_in_lanes: steps of a thread in a tile");
    s.later_knob("thread_states", {1, 2, 4}, usual.states,
                 "time_in_lanes: states that a thread walks at the same time");
    s.later_knob("thread_channels", {1, 2}, usual.own, "time_in_lanes: neighbouring channels of a thread");
    s.end_group();
    s.rule([=](const Knobs &k) {
        LanesPlan plan = lanes_plan(spec, k);
        return k["execution"] != "states_over_lanes" ||
               (lanes && channels % plan.channels() == 0 && passes([&] { plan.check(); }) &&
                !(f32 && k.integer("tanh")) && (k.integer("polynomial") || k.integer("position") == 0));
    });
    s.rule([=](const Knobs &k) {
        int registers = k.integer("registers");
        bool some = registers == 96 || registers == 128 || registers == 168 || registers >= 200;
        return k["execution"] != "time_in_lanes" ||
               (some && passes([&] { time_plan(spec, k).check(known_states(spec)); }) &&
                !(f32 && k.integer("tanh")));
    });
    return s;
}

std::vector<UsualKernel> usual_selective_scans(const Spec &base, const Target &target) {
    const Spec spec{base.choices, {{"N", lanes_states}}, {{"D", least_channels}}};
    return {{spec, selective_scan_space(spec, target).fallback()}};
}

Kernel selective_scan(const Spec &spec, const Knobs &k, const Target &) {
    if (k["execution"] == "in_order") return in_order(spec, k);
    return k["execution"] == "time_in_lanes" ? time_in_lanes(spec, k) : over_lanes(spec, k);
}

} // namespace ks::cuda
