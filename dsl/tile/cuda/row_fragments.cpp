// SPDX-License-Identifier: Apache-2.0
// A row product on tensor cores: every warp has fragments of its own for all columns and rows in flight. The
// weights go from memory straight into the fragment of the tall factor.
#include "dsl/tile/cuda/row_mma.h"
#include "dsl/tile/cuda/row_product.h"

namespace ks::tile {
using namespace Halide;

// Fragments of 16 columns and 8 rows; lane 4 eighth + quarter of a warp.
void RowProduct::define_mma() {
    std::vector<Var> mine = over({quarter_, eighth_, step_, column_, row_, part_, slice_});
    auto start = [&](int half) {
        return initial(column_ * 16 + half * 8 + eighth_, slice_ == 0 && step_ == 0);
    };
    sums_(mine) = row_mma_start(quarter_, start(0), start(1));
    for (Rounds &r : rounds_) {
        r.x(over({word_, eighth_, row_, vector_})) = x_word(row_ * 8 + eighth_);
        r.w(over({word_, half_, eighth_, column_, part_, vector_})) =
            w_word(column_ * 16 + half_ * 8 + eighth_);
        Expr vector = vector_at(r.k, step_, quarter_);
        std::vector<Expr> x, low, high;
        for (int word = 0; word < plan_.vector / 2; word++) {
            x.push_back(r.x(at({word, eighth_, row_, vector})));
            low.push_back(r.w(at({word, 0, eighth_, column_, part_, vector})));
            high.push_back(r.w(at({word, 1, eighth_, column_, part_, vector})));
        }
        Expr before = sums_(at({quarter_, eighth_, step_, column_, row_, part_, slice_}));
        sums_(mine) = row_mma(terms_.w_storage, before, low, high, x);
    }
    Expr total;
    for (int step = 0; step < plan_.steps; step++) {
        Expr of_step = sums_(at({quarter_, eighth_, step, column_, row_, part_, slice_}));
        Expr one = row_mma_element(of_step, half_, odd_);
        total = total.defined() ? total + one : one;
    }
    partial_(over({eighth_, quarter_, half_, column_, odd_, row_, part_, slice_})) = total;
}

std::vector<Expr> RowProduct::place_of_fragment(const Expr &column, const Expr &row) {
    return {column % 8, row % 8 / 2, column / 8 % 2, column / 16, row % 2, row / 8};
}

void RowProduct::schedule_mma() const {
    Var group("group"), column("in_group"), lane("lane"), both("both"), thread("thread");
    Func partial = partial_, sums = sums_;
    partial.bound(eighth_, 0, 8)
        .bound(quarter_, 0, 4)
        .bound(half_, 0, 2)
        .bound(odd_, 0, 2)
        .bound_extent(column_, plan_.groups * plan_.columns)
        .bound_extent(row_, plan_.rows / 8)
        .bound(part_, 0, terms_.parts)
        .bound(slice_, 0, plan_.slices)
        .align_storage(quarter_, 5) // banks
        .split(column_, group, column, plan_.columns);
    Loops order = {half_, odd_, column, row_, part_, quarter_, eighth_, group, slice_};
    for (const Var &v : terms_.outer) order.push_back(v);
    partial.reorder(order)
        .fuse(quarter_, eighth_, lane)
        .fuse(lane, group, both)
        .fuse(both, slice_, thread)
        .gpu_threads(thread);
    for (const Var &v : {half_, odd_, column, row_, part_}) partial.unroll(v);
    sums.compute_at(partial, thread)
        .bound_extent(column_, plan_.columns)
        .bound_extent(row_, plan_.rows / 8)
        .bound(part_, 0, terms_.parts)
        .bound(step_, 0, plan_.steps);
    for (const Rounds &r : rounds_) {
        Func(r.x).bound_extent(row_, plan_.rows / 8);
        Func(r.w)
            .bound_extent(column_, plan_.columns)
            .bound(part_, 0, terms_.parts)
            .bound(half_, 0, 2)
            .unroll(half_);
    }
    schedule_rounds({column_, row_, part_}, {step_});
}

} // namespace ks::tile
