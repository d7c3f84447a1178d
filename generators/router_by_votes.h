// SPDX-License-Identifier: Apache-2.0
// The router (router.h) for machines whose lanes, 32 of them, can vote: its second execution.
//
// The grouping is a stable counting sort without a cursor that all tokens share. Tokens are cut into parts of
// consecutive ones. For every expert 32 lanes walk a part, 32 tokens at a time: a vote says which of them are
// the expert's, and the votes of the lanes below a token's are its rank. A part begins behind the tokens of
// lower experts and those of its own expert in earlier parts.
//
// Two ways, chosen at run time by the number of tokens: all in one block, with the tokens' experts beside it,
// or two stages, all experts of tokens and then the groups. Outputs other than the permutation are assigned.
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"
#include <functional>

namespace ks {

struct RouterByVotes {
    static constexpr int lanes = 32;
    static constexpr int few_experts = 8;
    static constexpr int parts = lanes; // of the second stage: a lane for each when they are added up

    struct Plan {
        int in_one_block; // the most tokens times experts that one block takes, of few experts as if they
                          // were 8; 0: it takes none
        int warps;        // of that block, which share out the experts
        int block_batch; // groups of 32 tokens that a warp of that block reads before the first of them votes
        int batch;       // the same of the second stage
        int most_tokens() const { return in_one_block / few_experts; } // in the one block
    };
    RouterByVotes(const Spec &spec, const Maths &maths, const Plan &plan);

    // Expert and gate of token t, from its logits.
    struct Choice {
        Halide::Func best, spread; // (t); as in router.h
        Halide::Expr expert, gate;
    };
    // How the work of a grouping is cut: in how many parts a block takes the tokens of an expert, or else how
    // many experts it takes at a time.
    struct Cut {
        int parts, experts_at_once, batch;
    };
    // One update of the permutation, by loops from the innermost: a slot of a batch, a step, a round of
    // experts, then of a block a lane and a row of lanes (a part or an expert), and the block (an expert or
    // all).
    struct Groups {
        Halide::RVar slot, step, round, lane, row, block;
        Halide::Var l{"l"}, j{"j"}, i{"i"}, p{"p"}, e{"e"};
        Halide::Func tally{
            "tally"}; // (l, p, e) -> {tokens of lower experts, of e} in a part, the same in all lanes
        Halide::Func shared{"shared"}; // tally, for all parts to read; undefined where there is one part
        Halide::Func cursor{"cursor"}; // (l, p, e) next place of a part's tokens; assigned by `place`
        Halide::Func place{"place"};   // (l, j, i, p, e) where a token goes; -1: it is not the expert's
    };

    Operands operands;
    Halide::Var t{"t"};
    Choice by_itself, beside;                // of the first stage; of the one block
    Halide::Func chosen{"chosen"};           // (t) expert, in the one block
    Groups apart, together;                  // of the second stage; of the one block
    Halide::Func permutation{"permutation"}; // updates: the first stage, the second one, the one block
    Halide::RVar token;                      // of the first stage

  private:
    Halide::Expr tokens_, experts_;
    Halide::ImageParam index_, gate_, counts_, offsets_;

    Choice choose(const Maths &maths) const;
    Groups group(const std::function<Halide::Expr(Halide::Expr token)> &expert_of,
                 const Halide::Expr &enabled, const Cut &cut);
};

} // namespace ks
