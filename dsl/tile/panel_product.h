// SPDX-License-Identifier: Apache-2.0
// Panel product: the inner product of a matrix product whose weights are packed in panels of adjacent
// outputs,
//
//   product(lane, part, panel, row) = initial(lane, panel) + sum over k of x(k, row) * w(lane, part, k,
//   panel)
//
// and the register tile that computes it: a few rows times a few vectors, the whole sum over k in one go.
//
// For a dot product of pairs, x and w are bf16 and the two weights that meet in one instruction lie side by
// side: a panel is [K / 2][part][lane][2], and the last row of an odd K follows as [part][lane].
#pragma once
#include "Halide.h"
#include <functional>
#include <string>

namespace ks {

// Sizes of the register tile. A panel wider than the vectors in flight is taken in several passes.
struct RegisterTile {
    int lanes;     // floats of a vector
    int panel;     // lanes of a panel, of each part
    int parts;     // parts of a panel: 1, or 2 where gate and up lie side by side
    int rows;      // tallest row tile
    int vectors;   // vectors of each part in flight; low tiles take more, up to the whole panel
    int panels;    // most panels in flight; taken only by tiles low enough
    int registers; // vector registers of the target
    int prefetch;  // steps of k to prefetch the weights ahead; 0: none

    // Whether accumulators, the weights of one step, a broadcast of x and a spare fit in registers.
    bool fits(int tile_rows, int tile_vectors, int tile_panels) const {
        return parts * tile_vectors * tile_panels * (tile_rows + 1) + 2 <= registers;
    }
    int vectors_at(int tile_rows) const; // vectors in flight with that many rows
    int panels_at(int tile_rows) const;  // panels in flight with that many rows
};

// `count` rows in the fewest tiles of at most `most` rows, all of the same height; the last one overlaps its
// neighbour instead of being shorter, so every height has code without tails.
struct BalancedRows {
    BalancedRows(const Halide::Expr &count, int most);
    Halide::Expr tiles, height; // height <= count where count >= 1
};

class PanelProduct {
  public:
    using Initial = std::function<Halide::Expr(const Halide::Expr &lane, const Halide::Expr &panel)>;
    using Input = std::function<Halide::Expr(const Halide::Expr &k, const Halide::Expr &row)>;
    using Weight = std::function<Halide::Expr(const Halide::Expr &lane, const Halide::Expr &part,
                                              const Halide::Expr &k, const Halide::Expr &panel)>;

    struct Terms {
        Halide::Expr K;
        Initial initial;
        Input x;
        Weight w;
        Halide::ImageParam weights; // the buffer behind `w`, for prefetches
        // Terms of a dot product of pairs; undefined: one k at a time. `w_of_pair` gets the place of an
        // element as if the panel were [K][part][lane].
        Input x_of_pair = nullptr;
        Weight w_of_pair = nullptr;
    };

    PanelProduct(const Terms &terms, const std::string &name);

    Halide::Func func; // (lane, part, panel, row)

    // Computes the product in registers at loop `at` of its consumer. The consumer must ask there for
    // constant extents that `tile` says fit. Where `few` holds (undefined: nowhere) there are no prefetches:
    // with one or two rows the weights stream by themselves.
    void compute_at(const Halide::Func &consumer, const Halide::VarOrRVar &at, const RegisterTile &tile,
                    const Halide::Expr &few = Halide::Expr());

  private:
    void sum_by_one(const RegisterTile &tile, const Halide::Expr &few);
    void sum_by_pairs(const RegisterTile &tile);

    Halide::Var lane_, part_, panel_, row_;
    bool pairs_;
    Halide::RDom k_; // or (in pair, pair)
    Halide::ImageParam weights_;
};

// Schedules out(lane, panel, row), an elementwise function of `product`, for any number of rows: one
// specialisation per height of BalancedRows, panels outside and row tiles inside, so that a panel stays in
// cache while all rows pass over it. `panels` is the extent of the panel dimension.
void tile_panels(Halide::Func out, PanelProduct &product, const RegisterTile &tile,
                 const Halide::Expr &panels);

} // namespace ks
