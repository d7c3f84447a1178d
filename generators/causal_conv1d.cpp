// SPDX-License-Identifier: Apache-2.0
#include "generators/causal_conv1d.h"
#include "dsl/lower/assign_pass.h"
#include "dsl/lower/choose_pass.h"

namespace ks {
using namespace Halide;

namespace {

Contract conv(bool update) {
    std::string at = update ? "S" : "T";
    Contract c;
    c.name = update ? "causal_conv1d_update" : "causal_conv1d";
    c.version = 1;
    c.summary = update ? "one step of the causal convolution for S sequences, states updated in place"
                       : "causal convolution of one sequence, state updated in place";
    c.dims = {
        {at, 1, 1 << 24, false, update ? "sequences" : "time steps"},
        {"D", 1, 1 << 20, true, "channels"},
    };
    std::vector<std::string> state = {"W-1", "D"};
    if (update) state.insert(state.begin(), "S");
    c.operands = {
        {"x", Role::input, "io", {at, "D"}, true, "input"},
        {"weight", Role::input, "f32", {"W", "D"}, false, "taps, transposed: row W-1 is the current step's"},
        {"bias",
         Role::optional,
         "f32",
         {"D"},
         false,
         "added before the activation; without it 0",
         conv_bias,
         "weight"},
        {"state", Role::in_place, "f32", state, false,
         "last W-1 inputs, oldest first: before and after the call", 0, "", !update},
        {"y", Role::output, "io", {at, "D"}, true, "output; not the memory of x"},
    };
    c.scalars = {{"flags", "i32", "2: apply silu (the bits of optional operands are set by their presence)"}};
    c.slice = "D";
    c.granule = 64;
    if (!update) c.ragged = "T";
    c.choices = {{"W", {"2", "3", "4"}}, {"io", {"f32", "bf16", "f16"}}};
    c.tolerance = {{"f32", 2e-6}, {"bf16", 5e-3}, {"f16", 7e-4}};
    c.non_finite = "NaN in x, the state, a tap or the bias makes NaN of the outputs of its channel that see "
                   "it; infinity makes "
                   "NaN or infinity of them.";
    return c;
}

} // namespace

const Contract &causal_conv1d_contract() {
    static const Contract c = conv(false);
    return c;
}

const Contract &causal_conv1d_update_contract() {
    static const Contract c = conv(true);
    return c;
}

CausalConv1d::CausalConv1d(const Contract &contract, const Spec &spec, const Maths &maths, Batch batch)
    : operands(contract, spec, batch) {
    if (batch == Batch::packed) operands.convert_by_call();
    bool update = contract.name == "causal_conv1d_update";
    auto &in = operands;
    int taps = std::stoi(spec.choice("W")), kept = taps - 1;
    Expr flags = in.scalar("flags");
    auto state = [&](const Expr &row) {
        return update ? Expr(in.buffer("state")(d, row, at)) : in.state("state", {d, row});
    };

    Expr steps = update ? Expr(1) : in.steps("x");
    if (in.packed()) { // of steps behind the end the last one's, which nobody uses
        Expr before = state(clamp(at + kept, 0, kept - 1)),
             x = in.load("x", {d, clamp(likely(at), 0, steps - 1)});
        window(in.point({d, at})) = choose(at < 0, before, x);
    }
    // Input `back` steps before step t of this call; it is in the state when the call began later.
    auto earlier = [&](const Expr &t, int back) {
        if (back == 0) return in.load("x", {d, t});
        Expr i = t - back;
        return select(likely(i >= 0), in.load("x", {d, max(likely(i), 0)}),
                      state(clamp(i + kept, 0, kept - 1)));
    };
    auto input = [&](int tap) {
        if (in.packed()) {
            std::vector<Expr> place = {d, at - (kept - tap)};
            for (const Var &v : in.point({})) place.emplace_back(v);
            return Expr(window(place));
        }
        if (!update) return earlier(at, kept - tap);
        return tap == kept ? in.load("x", {d, at}) : state(tap);
    };

    Expr c = in.load_or("bias", {d}, 0.f);
    for (int w = 0; w < taps; w++) c += in.load("weight", {d, w}) * input(w);
    Expr value = in.store("y", select((flags & int(conv_silu)) != 0, maths.silu(c), c));

    std::vector<Assignment> shift; // row j takes what lies kept-1-j steps before the last
    for (int j = 0; j < kept; j++)
        shift.emplace_back(state(j), update ? input(j + 1) : earlier(steps - 1, kept - 1 - j));
    if (update) {
        y(d, at) = assign(value, shift);
    } else if (in.packed()) {
        y(in.point({d, at})) = assign(value, shift, at == 0);
    } else {
        y(d, at) = value;
        y(d, steps - 1) = assign(y(d, steps - 1), shift);
    }
    in.promise(y);
}

} // namespace ks
