// SPDX-License-Identifier: Apache-2.0
// The tokens of every expert in whole tiles of B slots, for grouped matrix products ("align block size").
// Input is what the router makes (router.h). Tile g belongs to expert e when the experts before e take at
// most g tiles, and with e's own ceil(counts[e] / B) more than g:
//
//   rows[g][b] = the expert's token number (g - its first tile) B + b, or its last token where it has no
//   more, so
//                that work done twice writes equal values
//   experts[g][b] = e;  tiles that nobody needs have experts = -1 and rows = 0
//
// Tiles in use: sum over e of ceil(counts[e] / B) <= min(T, floor((T + E (B-1)) / B)), so that many always
// suffice. With a smaller G the last tiles, and their tokens, are left out.
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"

namespace ks {

const Contract &expert_tiles_contract();

struct ExpertTiles {
    // `together`: both outputs are one Func, `slots`; otherwise they are two that read it.
    ExpertTiles(const Spec &spec, bool together);

    static constexpr int most_experts = 256;

    Operands operands;
    Halide::Var b{"b"}, g{"g"}, e{"e"};
    Halide::Func needed{"needed"}; // (e) -> tiles of an expert
    Halide::Func found{
        "found"}; // (g) -> {tiles of the experts so far, expert of tile g or -1, its first tile}
    Halide::Func slots{{Halide::Int(32), Halide::Int(32)}, 2, "slots"}; // (b, g) -> {row, expert}
    Halide::Func rows{Halide::Int(32), 2, "rows"}, experts{"experts"};
};

} // namespace ks
