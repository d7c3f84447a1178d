// SPDX-License-Identifier: Apache-2.0
// The two matrix products of a top-1 mixture of experts, for all experts in one call each ("grouped GEMM"):
//
//   up:    h[g][b] = act(x[rows[g][b]] G_e^T) * (x[rows[g][b]] U_e^T)     or, not gated, act(x U_e^T)
//   down:  y[rows[g][b]] = scale[rows[g][b]] * h[g][b] W_e^T              e = experts[g]
//
// The rows of an expert come in whole tiles of B slots, so a tile has one expert. Slots beyond its last row
// repeat that row: they write the same values again.
#pragma once
#include "dsl/maths.h"
#include "dsl/operands.h"
#include "generators/product_operands.h"

namespace ks {

const Contract &grouped_expert_up_contract();
const Contract &grouped_expert_down_contract();

// How an execution walks over the slots of a tile: loops, innermost first, each with its extent and the
// distance of its steps in slots. Empty: one loop over all of them. Such loops cannot be split and reordered
// by a schedule, because to Halide repeated rows might depend on each other.
using SlotLoops = std::vector<std::pair<int, int>>;

// And over the tiles, for the same reason: in order, or in `apart` series, each of every `apart`-th tile.
struct TileWalk {
    SlotLoops slots = {};
    int apart = 0;
};

// What both ops are: one or two products (gate and up) of the same rows, written tile by tile.
class GroupedProduct {
  public:
    // What tells the ops apart.
    struct Kind {
        const char *input, *columns; // operand of the rows that are multiplied, dimension of the outputs
        int parts;                   // products of the same rows
        bool gathers;                // reads rows of its input by index, or else writes those of y by it
    };
    virtual ~GroupedProduct() = default;

    const Kind kind;
    Operands operands;
    Halide::Var n{"n"}, slot{"slot"}, tile{"tile"};
    Halide::RDom k;
    // Of each part: f32 (k, slot, tile), (k, n, tile) and their product (n, slot, tile).
    std::vector<Halide::Func> x, w, products;
    Halide::Func out;                // its update writes the tiles that are used
    std::vector<Halide::RVar> slots; // loops of the update, innermost first
    Halide::RVar tiles;              // of a series, where there are some
    std::optional<Halide::RVar> series;

    // For executions with products of their own. Places in kind.input and in w, innermost first:
    std::vector<Halide::Expr> input_at(const Halide::Expr &k, const Halide::Expr &slot,
                                       const Halide::Expr &tile) const;
    std::vector<Halide::Expr> weight_at(const Halide::Expr &k, const Halide::Expr &column,
                                        const Halide::Expr &part, const Halide::Expr &tile) const;
    Halide::Expr at_slot() const { return at_slot_; } // of the update's loops
    Halide::Expr at_tile() const { return at_tile_; }
    // `out` from the f32 product of each part at those loops: n, at_slot(), at_tile().
    virtual Halide::Func output(const std::vector<Halide::Expr> &products) const = 0;

    // The widths, and rows without gaps, as constants: what the runtime ensures for kernels that fix them.
    void promise_dense();

  protected:
    GroupedProduct(const Contract &contract, const Spec &spec, const Kind &kind, Reads reads,
                   const TileWalk &walk);
    std::vector<Halide::Expr> at_loops() const;                                 // the products
    Halide::Expr row(const Halide::Expr &slot, const Halide::Expr &tile) const; // of x or y

  private:
    void walk(const std::vector<std::pair<Halide::Expr, int>> &loops, int apart);
    Halide::Expr expert(const Halide::Expr &tile) const;
    Halide::Expr at_slot_, at_tile_;
};

struct GroupedExpertUp final : GroupedProduct {
    GroupedExpertUp(const Spec &spec, const Maths &maths, Reads reads, const TileWalk &walk = {});
    static Kind kind_of(const Spec &spec);
    Halide::Func output(const std::vector<Halide::Expr> &products) const override; // h

  private:
    Maths maths_;
};

struct GroupedExpertDown final : GroupedProduct {
    GroupedExpertDown(const Spec &spec, Reads reads, const TileWalk &walk = {});
    static Kind kind_of(const Spec &spec);
    Halide::Func output(const std::vector<Halide::Expr> &products) const override; // y
};

} // namespace ks
