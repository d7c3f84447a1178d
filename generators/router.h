// SPDX-License-Identifier: Apache-2.0
// Top-1 routing: the expert and gate of every token, and the tokens grouped by expert.
//
//   index[t] = argmax_e logits[t,e],  gate[t] = sigmoid of that logit, or its softmax probability
//
// The grouping is stable and made without a sort: counts, their prefix sums, and one cursor per expert.
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"

namespace ks {

const Contract &router_contract();

// The gate of token `t`, whose expert is `expert`; fills `spread` when the score is softmax: (t) -> sum over
// experts of exp(logit - largest).
Halide::Expr gate_of(const Operands &operands, const Maths &maths, const Halide::Var &t,
                     const Halide::Expr &expert, Halide::Func &spread);

struct Router {
    Router(const Spec &spec, const Maths &maths);

    static constexpr int most_experts = 256;

    Operands operands;
    Halide::Var t{"t"}, e{"e"};
    Halide::Func best;   // (t) -> {order of the largest logit, expert}
    Halide::Func spread; // of gate_of()
    Halide::Func cursor{
        "cursor"}; // (e), next free place of an expert's group; moved by assign() in `permutation`
    Halide::Func index{"index"}, gate{"gate"}, counts{"counts"}, offsets{"offsets"},
        permutation{"permutation"};
};

} // namespace ks
