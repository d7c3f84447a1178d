// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/panel_product.h"

namespace ks {
using namespace Halide;

int RegisterTile::vectors_at(int tile_rows) const {
    int n = vectors;
    while (2 * n * lanes <= panel && fits(tile_rows, 2 * n, 1)) n *= 2;
    return n;
}

int RegisterTile::panels_at(int tile_rows) const {
    int n = vectors_at(tile_rows) * lanes == panel ? panels : 1;
    while (n > 1 && !fits(tile_rows, panel / lanes, n)) n /= 2;
    return n;
}

BalancedRows::BalancedRows(const Expr &count, int most)
    : tiles((count + (most - 1)) / most), height((count + tiles - 1) / tiles) {}

PanelProduct::PanelProduct(const Terms &t, const std::string &name)
    : func(name),
      lane_("lane"),
      part_("part"),
      panel_("panel"),
      row_("row"),
      pairs_(t.x_of_pair != nullptr),
      k_(pairs_ ? RDom(0, 2, 0, t.K / 2, "k") : RDom(0, t.K, "k")),
      weights_(t.weights) {
    if (!pairs_) {
        func(lane_, part_, panel_, row_) = t.initial(lane_, panel_);
        func(lane_, part_, panel_, row_) += t.x(k_, row_) * t.w(lane_, part_, k_, panel_);
        return;
    }
    // What pairs leave over starts the sum. (As an update of K % 2 steps, or under a branch, it costs minutes
    // of simplification where many products meet in one kernel.)
    Expr left = select(t.K % 2 != 0, t.x(t.K - 1, row_) * t.w(lane_, part_, t.K - 1, panel_), 0.f);
    func(lane_, part_, panel_, row_) = t.initial(lane_, panel_) + left;
    func(lane_, part_, panel_, row_) +=
        t.x_of_pair(2 * k_.y + k_.x, row_) * t.w_of_pair(2 * lane_ + k_.x, 2 * part_, 2 * k_.y, panel_);
}

void PanelProduct::sum_by_one(const RegisterTile &tile, const Expr &few) {
    Stage sum = func.update();
    sum.reorder(lane_, part_, panel_, row_, k_);
    sum.vectorize(lane_, tile.lanes).unroll(lane_).unroll(part_).unroll(panel_).unroll(row_);
    if (!tile.prefetch) return;
    if (few.defined()) sum.specialize(few);
    sum.prefetch(weights_, k_, k_, tile.prefetch, PrefetchBoundStrategy::NonFaulting);
}

void PanelProduct::sum_by_pairs(const RegisterTile &tile) {
    Var in_vector("in_vector");
    Stage sum = func.update();
    sum.split(lane_, lane_, in_vector, tile.lanes).reorder(k_.x, in_vector, lane_, part_, panel_, row_, k_.y);
    // Both terms of a pair go to one accumulator: that is what the instruction does.
    sum.atomic().vectorize(k_.x).vectorize(in_vector).unroll(lane_).unroll(part_).unroll(panel_).unroll(row_);
}

void PanelProduct::compute_at(const Func &consumer, const VarOrRVar &at, const RegisterTile &tile,
                              const Expr &few) {
    if (at.is_rvar)
        func.compute_at(consumer, at.rvar);
    else
        func.compute_at(consumer, at.var);
    func.store_in(MemoryType::Stack).bound(part_, 0, tile.parts);
    func.vectorize(lane_, tile.lanes).unroll(lane_).unroll(part_).unroll(panel_).unroll(row_);
    if (pairs_)
        sum_by_pairs(tile);
    else
        sum_by_one(tile, few);
}

void tile_panels(Func out, PanelProduct &product, const RegisterTile &tile, const Expr &panels) {
    Var lane = out.args()[0], panel = out.args()[1], row = out.args()[2];
    Var pass("pass"), in_pass("in_pass"), group("group"), in_group("in_group"), block("block"),
        in_block("in_block");
    BalancedRows balanced(out.output_buffer().dim(2).extent(), tile.rows);
    out.bound(lane, 0, tile.panel);

    auto apply = [&](Stage s, int rows, int in_flight) {
        s.split(lane, pass, in_pass, tile.lanes * tile.vectors_at(rows))
            .split(panel, group, in_group, in_flight, TailStrategy::ShiftInwards)
            .split(row, block, in_block, rows, TailStrategy::ShiftInwards)
            .reorder(in_pass, in_group, in_block, block, pass, group)
            .vectorize(in_pass, tile.lanes)
            .unroll(in_pass)
            .unroll(in_group)
            .unroll(in_block);
    };
    for (int rows = 1; rows <= tile.rows; rows++) {
        int in_flight = tile.panels_at(rows);
        if (in_flight > 1)
            apply(out.specialize(balanced.height == rows && panels >= in_flight), rows, in_flight);
        apply(out.specialize(balanced.height == rows), rows, 1);
    }
    out.specialize_fail("row tile");
    product.compute_at(out, block, tile, balanced.height <= 2);
}

} // namespace ks
