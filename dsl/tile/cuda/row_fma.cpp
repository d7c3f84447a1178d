// SPDX-License-Identifier: Apache-2.0
// A row product on the FMA pipe: every thread has sums of its own for all columns and rows in flight.
#include "dsl/tile/cuda/row_product.h"

namespace ks::tile {
using namespace Halide;

namespace {

// Element `i` of a vector of words, as f32.
Expr element(Storage storage, int vector, const std::function<Expr(const Expr &word)> &words, const Expr &i) {
    if (storage == Storage::f32) return words(i);
    if (vector == 1) return widen(storage, words(0));
    Expr word = words(i / 2), odd = i % 2 != 0;
    if (storage == Storage::bf16) // as the high half of an f32, without a shift for every second one
        return reinterpret<float>(select(odd, word & Expr(0xffff0000u), word << Expr(16u)));
    return widen(storage, cast<uint16_t>(select(odd, word >> Expr(16u), word & Expr(0xffffu))));
}

} // namespace

void RowProduct::define_fma() {
    std::vector<Var> mine = over({lane_, column_, row_, part_, slice_});
    sums_(mine) = initial(column_, slice_ == 0 && lane_ == 0);
    for (Rounds &r : rounds_) {
        r.x(over({word_, row_, vector_})) = x_word(row_);
        r.w(over({word_, column_, part_, vector_})) = w_word(column_);
        Expr vector = vector_at(r.k, r.k.y, lane_);
        auto x = [&](const Expr &word) { return r.x(at({word, row_, vector})); };
        auto w = [&](const Expr &word) { return r.w(at({word, column_, part_, vector})); };
        sums_(mine) += element(terms_.x_storage, plan_.vector, x, r.k.x) *
                       element(terms_.w_storage, plan_.vector, w, r.k.x);
    }
    partial_(mine) = sums_(mine);
}

void RowProduct::schedule_fma() const {
    Var group("group"), column("in_group"), thread("thread"), both("both");
    Func partial = partial_, sums = sums_;
    partial.bound_extent(column_, plan_.block_columns())
        .bound_extent(row_, plan_.rows)
        .bound(part_, 0, terms_.parts)
        .bound(slice_, 0, plan_.slices)
        .bound(lane_, 0, plan_.lanes)
        .align_storage(lane_, plan_.lanes + 4) // banks
        .split(column_, group, column, plan_.columns);
    Loops order = {column, row_, part_, lane_, group, slice_};
    for (const Var &v : terms_.outer) order.push_back(v);
    partial.reorder(order).fuse(lane_, group, both).fuse(both, slice_, thread).gpu_threads(thread);
    partial.unroll(column).unroll(row_).unroll(part_);
    sums.compute_at(partial, thread)
        .bound_extent(column_, plan_.columns)
        .bound_extent(row_, plan_.rows)
        .bound(part_, 0, terms_.parts);
    for (const Rounds &r : rounds_) {
        Func(r.x).bound_extent(row_, plan_.rows);
        Func(r.w).bound_extent(column_, plan_.columns).bound(part_, 0, terms_.parts);
    }
    schedule_rounds({column_, row_, part_}, {});
}

} // namespace ks::tile
