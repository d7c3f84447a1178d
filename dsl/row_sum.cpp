// SPDX-License-Identifier: Apache-2.0
#include "dsl/row_sum.h"

namespace ks {
using namespace Halide;

RowSum::RowSum(const std::string &name, const Var &row, const Expr &width, int partials, int folds,
               const std::function<Expr(const Expr &)> &term, Of of)
    : partial(name + "_partial"), total(name), partials_(partials), folds_(folds), folded_(name + "_folded") {
    Expr rounds = simplify(width / partials), rest = simplify(width % partials);
    whole_ = !Internal::is_const_zero(rounds);
    rest_ = !Internal::is_const_zero(rest);
    auto start = [of] { return of == Of::sum ? cast<double>(0) : Float(32).min(); };
    auto join = [of](const Expr &so_far, const Expr &more) {
        return of == Of::sum ? so_far + cast<double>(more) : max(so_far, more);
    };
    partial(lane_, row) = start();
    if (whole_) {
        RDom round(0, rounds, name + "_round");
        partial(lane_, row) = join(partial(lane_, row), term(round * partials + lane_));
    }
    if (rest_) {
        RDom tail(0, rest, name + "_tail");
        partial(tail, row) = join(partial(tail, row), term(rounds * partials + tail));
        tail_ = tail;
    }
    Func last = partial;
    if (folds < partials) {
        RDom round(0, partials / folds, name + "_fold");
        folded_(lane_, row) = start();
        folded_(lane_, row) = join(folded_(lane_, row), partial(round * folds + lane_, row));
        rounds_of_folded_ = round;
        last = folded_;
    }
    RDom l(0, folds, name + "_lane");
    total(row) = start();
    total(row) = join(total(row), last(l, row));
    lanes_of_total_ = l;
}

void RowSum::compute_at(const Func &consumer, const Var &row, int lanes) {
    total.compute_at(consumer, row).store_in(MemoryType::Stack);
    total.update().atomic().vectorize(lanes_of_total_);
    partial.compute_at(consumer, row).store_in(MemoryType::Stack).bound(lane_, 0, partials_);
    partial.vectorize(lane_, lanes).unroll(lane_);
    int stage = 0;
    if (whole_) {
        RVar round = partial.rvars(stage)[0];
        Var outer("outer"), inner("inner");
        partial.update(stage++)
            .split(lane_, outer, inner, lanes)
            .reorder(inner, outer, round)
            .vectorize(inner)
            .unroll(outer);
    }
    if (rest_) partial.update(stage).vectorize(tail_, lanes, TailStrategy::GuardWithIf);
}

void RowSum::compute_at_block(const Func &consumer, const Var &row) {
    for (Func f : {partial, total}) f.compute_at(consumer, row).store_in(MemoryType::GPUShared);
    total.update().unroll(lanes_of_total_);
    partial.bound(lane_, 0, partials_).gpu_threads(lane_);
    if (folded_.defined()) {
        folded_.compute_at(consumer, row).store_in(MemoryType::GPUShared);
        folded_.bound(lane_, 0, folds_).gpu_threads(lane_);
        folded_.update().reorder(rounds_of_folded_, lane_).gpu_threads(lane_);
    }
    int stage = 0;
    if (whole_) {
        RVar round = partial.rvars(stage)[0];
        partial.update(stage++).reorder(round, lane_).gpu_threads(lane_);
    }
    if (rest_) partial.update(stage).gpu_threads(tail_);
}

} // namespace ks
