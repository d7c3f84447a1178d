// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/selective_state_update.h"
#include "dsl/lower/aligned_pass.h"
#include "dsl/lower/lanes_pass.h"
#include "dsl/lower/loads_first_pass.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/ptx/occupancy.h"
#include "dsl/recurrence/step.h"
#include <algorithm>

namespace ks::cuda {
using namespace Halide;
using Halide::Internal::as_const_int;

namespace {

constexpr int usual_states = 16, least_channels = 8; // of a block

// Vectors of channels want 16 states and rows that begin at multiples of 16 bytes.
bool vectors_can_serve(const Spec &spec) {
    auto N = spec.fixed.find("N");
    return N != spec.fixed.end() && N->second == usual_states && spec.divisor("D") % least_channels == 0;
}

} // namespace

Space selective_state_update_space(const Spec &spec, const Target &) {
    bool vectors = vectors_can_serve(spec);
    Space s;
    s.knob("few", {4096, 8192, 16384, 32768, 65536}, vectors ? 8192 : 16384,
           "up to so many channels of all sequences a thread has one");
    s.knob("lanes", {2, 4, 8}, 4, "threads of a channel, each with its states; of many without vectors one");
    s.knob("vector", {1, 2, 4}, vectors ? 4 : 1, "channels of a thread where they are many");
    s.knob("channels", {32, 64}, 32, "channels of a block where they are few");
    s.knob("threads", {64, 128, 256}, 128, "threads of a block where they are many");
    s.knob("resident", {512, 768, 1024}, vectors ? 768 : 512,
           "threads of a multiprocessor, which share its registers");
    s.rule([=](const Knobs &k) { return (k.integer("vector") > 1) == vectors; });
    return s;
}

std::vector<UsualKernel> usual_selective_state_updates(const Spec &base, const Target &target) {
    const Spec spec{base.choices, {{"N", usual_states}}, {{"D", least_channels}}};
    return {{spec, selective_state_update_space(spec, target).fallback()}};
}

// Memory is waited for once: all that a thread reads it asks for before it stores anything; for the usual
// number of states that takes kernels without loops. Few channels are spread over lanes, to fill the device.
// Of many a thread takes neighbours, where their vectors are aligned, or else all states of one; blocks at
// work lie along the rows, as memory does. A call runs one of the kernels.
Kernel selective_state_update(const Spec &spec, const Knobs &k, const Target &) {
    Maths maths = spec.choice("io") == "f32" ? Maths::special_function_unit()
                                             : Maths::special_function_unit_for_16_bits(false);
    SelectiveScan op(selective_state_update_contract(), spec, maths);
    op.operands.convert_by_call();
    int lanes = k.integer("lanes"), channels = k.integer("channels"), threads = k.integer("threads"),
        vector = k.integer("vector"), lanes_of_many = vector > 1 ? lanes : 1;
    Step spread(op.recurrence, usual_states / lanes, {}, "spread", StepOrder::all_loads_first, lanes);
    Step whole(op.recurrence, usual_states / lanes_of_many, {}, "whole", StepOrder::all_loads_first,
               lanes_of_many);
    Expr width = op.operands.buffer("u").dim(0).extent(), sequences = op.operands.buffer("u").dim(1).extent();
    Expr many = width * sequences > k.integer("few") && sequences <= ptx::most_blocks;
    Func total("total");
    total(op.d, op.at) = select(many, lane_sum(whole.out.func(op.d, op.at), lanes_of_many),
                                lane_sum(spread.out.func(op.d, op.at), lanes));
    Func y = op.output(total);

    Var block("block"), i("i"), v("v");
    auto plan_many = [&](const Expr &condition) {
        Stage s = y.specialize(condition);
        if (vector > 1) s.split(op.d, op.d, v, vector, TailStrategy::RoundUp).vectorize(v);
        s.split(op.d, block, i, threads / lanes_of_many, TailStrategy::GuardWithIf);
        std::vector<VarOrRVar> order = {i, block, op.at};
        if (vector > 1) order.insert(order.begin(), v);
        s.reorder(order).gpu_blocks(block, op.at).gpu_threads(i).never_partition_all();
    };
    auto plan_few = [&](const Expr &condition) {
        y.specialize(condition)
            .split(op.d, block, i, channels, TailStrategy::GuardWithIf)
            .reorder(i, op.at, block)
            .gpu_blocks(op.at, block)
            .gpu_threads(i)
            .never_partition_all();
    };
    bool any_states = !as_const_int(op.recurrence.states);
    Expr usual = op.recurrence.states == usual_states;
    if (any_states) plan_many(many && usual);
    plan_many(many);
    if (any_states) plan_few(!many && usual);
    plan_few(!many);
    y.specialize_fail("few channels or many");
    op.step.compute_at(y, i);
    for (const Step *update : {&spread, &whole}) {
        Func(update->out.func).compute_at(y, i);
        update->check(y, static_cast<int>(spec.divisor("D")));
    }
    if (vector > 1) {
        op.step.specialize(many).vectorize(op.d, vector);
        whole.out.func.vectorize(op.d, vector);
    }
    int largest = std::max(channels * lanes, threads), blocks = std::max(k.integer("resident") / largest, 1);
    DeviceCode device = {
        {[=](const std::string &ptx) { return ptx::with_launch_bounds(ptx, largest, blocks); }},
        ptx::instructions(),
        nullptr,
        0,
        ""};
    device.expansions.merge(lane_expansions());
    return {{y},
            op.operands.arguments(),
            {std::make_shared<LanesPass>(lanes), spread.pass, whole.pass, std::make_shared<LoadsFirstPass>(),
             std::make_shared<PackPass>(), vector > 1 ? std::make_shared<AlignedPass>() : nullptr},
            device};
}

} // namespace ks::cuda
