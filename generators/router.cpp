// SPDX-License-Identifier: Apache-2.0
#include "generators/router.h"
#include "dsl/lower/assign_pass.h"
#include "generators/argmax.h"

namespace ks {
using namespace Halide;

namespace {

Contract router() {
    Contract c;
    c.name = "router";
    c.version = 1;
    c.summary = "top-1 expert and gate of every token, and the tokens grouped by expert";
    c.dims = {{"T", 1, 1 << 24, false, "tokens"}, {"E", 1, Router::most_experts, true, "experts"}};
    c.operands = {
        {"logits", Role::input, "f32", {"T", "E"}, true, "router output, before any activation"},
        {"index",
         Role::output,
         "i32",
         {"T"},
         false,
         "expert with the largest logit, the lowest among equals"},
        {"gate", Role::output, "f32", {"T"}, false, "gate of that expert"},
        {"counts", Role::output, "i32", {"E"}, false, "tokens of every expert"},
        {"offsets",
         Role::output,
         "i32",
         {"E+1"},
         false,
         "where an expert's tokens begin in permutation; last: T"},
        {"permutation", Role::output, "i32", {"T"}, false, "tokens by expert, ascending inside an expert"},
    };
    c.choices = {{"score", {"sigmoid", "softmax"}}};
    c.tolerance = {{"f32", 1e-6}};
    c.non_finite =
        "NaN never wins, unless a row is all NaN: then expert 0. The gate is what its formula gives.";
    return c;
}

} // namespace

const Contract &router_contract() {
    static const Contract c = router();
    return c;
}

Expr gate_of(const Operands &in, const Maths &maths, const Var &t, const Expr &expert, Func &spread) {
    Expr largest = in.load("logits", {expert, t});
    if (in.spec().choice("score") == "sigmoid") return maths.sigmoid(largest);
    Expr experts = in.width("E", "logits");
    if (Internal::is_const_one(experts)) { // exp(x - x), which would be simplified to 1 for whatever x
        Expr exponent = reinterpret<uint32_t>(largest) & Expr(0x7f800000u);
        return select(exponent == Expr(0x7f800000u), reinterpret<float>(Expr(0x7fc00000u)), 1.f);
    }
    RDom other(0, experts, "other");
    spread = Func("spread");
    spread(t) = cast<double>(0);
    spread(t) += cast<double>(maths.exp(in.load("logits", {other, t}) - largest));
    return 1.f / cast<float>(spread(t));
}

Router::Router(const Spec &spec, const Maths &maths) : operands(router_contract(), spec) {
    auto &in = operands;
    Expr experts = in.width("E", "logits"), tokens = in.buffer("logits").dim(1).extent();
    auto expert_of = [&](const Expr &token) { return clamp(index(token), 0, experts - 1); };

    Func logits("logit");
    logits(e, t) = in.load("logits", {e, t});
    best = argmax_of(logits, t, experts);
    index(t) = best(t)[1];

    gate(t) = gate_of(in, maths, t, expert_of(t), spread);

    RDom token(0, tokens, "token"), expert(0, experts, "expert");
    counts(e) = 0;
    counts(expert_of(token)) += 1;
    offsets(e) = 0;
    offsets(expert + 1) = offsets(expert) + counts(expert);
    cursor(e) = offsets(e);
    Expr place = cursor(expert_of(token));
    permutation(t) = 0;
    permutation(clamp(place, 0, tokens - 1)) = assign(token, {{place, place + 1}});
    for (const Func &f : {index, gate, counts, offsets, permutation}) in.promise(f);
}

} // namespace ks
