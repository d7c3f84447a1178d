// SPDX-License-Identifier: Apache-2.0
#include "generators/selective_scan.h"

namespace ks {
using namespace Halide;

namespace {

Contract scan(bool update) {
    std::string at = update ? "S" : "T";
    Contract c;
    c.name = update ? "selective_state_update" : "selective_scan";
    c.version = 1;
    c.summary = update ? "one step of the selective scan for S sequences, states updated in place"
                       : "selective scan of one sequence, state updated in place";
    c.dims = {
        {at, 1, 1 << 24, false, update ? "sequences" : "time steps"},
        {"D", 1, 1 << 20, true, "channels (inner width)"},
        {"N", 1, 256, true, "states per channel"},
    };
    std::vector<std::string> state =
        update ? std::vector<std::string>{"S", "N", "D"} : std::vector<std::string>{"N", "D"};
    c.operands = {
        {"u", Role::input, "io", {at, "D"}, true, "input of the recurrence"},
        {"dt", Role::input, "io", {at, "D"}, true, "step before bias and softplus"},
        {"z", Role::optional, "io", {at, "D"}, true, "gate; without it y is not gated", scan_gated, "u"},
        {"A", Role::input, "f32", {"N", "D"}, false, "A (negative) times log2(e), transposed"},
        {"B", Role::input, "io", {at, "N"}, true, "input weights"},
        {"C", Role::input, "io", {at, "N"}, true, "read-out weights"},
        {"D_skip", Role::optional, "f32", {"D"}, false, "skip weight; without it 0", scan_skip, "A"},
        {"dt_bias", Role::optional, "f32", {"D"}, false, "added to dt in f32; without it 0", scan_bias, "A"},
        {"state", Role::in_place, "f32", state, false, "initial state in, final state out", 0, "", !update},
        {"y", Role::output, "io", {at, "D"}, true, "output"},
    };
    c.scalars = {{"flags", "i32",
                  "8: apply softplus to dt (the bits of optional operands are set by their presence)"}};
    c.slice = "D";
    c.granule = 64;
    if (!update) c.ragged = "T";
    c.choices = {{"io", {"f32", "bf16", "f16"}}};
    c.tolerance = {{"f32", 2e-6}, {"bf16", 5e-3}, {"f16", 7e-4}};
    c.non_finite = "NaN in u, dt, dt_bias, B or the state of a channel stays in that channel's state and y "
                   "from that step on; "
                   "NaN in C, z or D_skip only in the steps that use it. Infinity gives NaN or infinity "
                   "where the formula has "
                   "either. A must be finite: NaN in it may be lost.";
    return c;
}

} // namespace

const Contract &selective_scan_contract() {
    static const Contract c = scan(false);
    return c;
}

const Contract &selective_state_update_contract() {
    static const Contract c = scan(true);
    return c;
}

SelectiveScan::SelectiveScan(const Contract &contract, const Spec &spec, const Maths &maths, Batch batch,
                             bool stands_still)
    : operands(contract, spec, batch), maths_(maths) {
    bool per_sequence = contract.name == "selective_state_update";
    auto &in = operands;
    Expr applies = (in.scalar("flags") & int(scan_softplus)) != 0;
    Expr exists = stands_still ? recurrence::step_exists() : Expr(true);
    Expr delta = maths.step_size(in.load("dt", {d, at}), in.load_or("dt_bias", {d}, 0.f), applies, exists);
    step(in.point({d, at})) = Tuple(delta, delta * in.load("u", {d, at}));
    weights(in.point({n, at})) = Tuple(in.load("B", {n, at}), in.load("C", {n, at}));

    // The recurrence outlives this object in the schedule's executions: what its terms use they hold
    // themselves.
    Operands operand = in;
    Func staged = step, weight = weights;
    Var channel = d, time = at;
    auto at_point = [operand, time](const Func &f, const Expr &i) {
        std::vector<Expr> index = {i};
        for (const Var &v : operand.point({time})) index.emplace_back(v);
        return f(index);
    };
    recurrence.channel = d;
    recurrence.time = at;
    recurrence.outer = in.point({});
    recurrence.stands_still = stands_still;
    recurrence.states = in.width("N", "B");
    recurrence.state = [=](const Expr &i) {
        return per_sequence ? Expr(operand.buffer("state")(channel, i, time))
                            : operand.state("state", {channel, i});
    };
    recurrence.decay = [=](const Expr &i) {
        return maths.decay_exp2(operand.load("A", {channel, i}) * at_point(staged, channel)[0]);
    };
    recurrence.input = [=](const Expr &i) { return at_point(staged, channel)[1] * at_point(weight, i)[0]; };
    recurrence.read = [=](const Expr &i) { return at_point(weight, i)[1]; };
}

Expr SelectiveScan::gated(const Func &read) const {
    const auto &in = operands;
    Expr skip = in.load_or("D_skip", {d}, 0.f);
    Expr gate = select(in.given("z"), maths_.silu(in.load("z", {d, at})), 1.f);
    return (read(in.point({d, at})) + skip * in.load("u", {d, at})) * gate;
}

Func SelectiveScan::output(const Func &read) const {
    Func y("y");
    y(operands.point({d, at})) = operands.store("y", gated(read));
    operands.promise(y);
    return y;
}

} // namespace ks
