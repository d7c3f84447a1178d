// SPDX-License-Identifier: Apache-2.0
// A sum over the columns of every row, in `partials` independent accumulators of double precision: exact
// enough for any width, and wide enough for vector lanes. Or the largest term, an f32, which passes over NaN.
// How many partials is the schedule's choice.
#pragma once
#include "Halide.h"
#include <functional>
#include <string>

namespace ks {

class RowSum {
  public:
    enum class Of { sum, largest };

    // The sum over column < width of term(column), which may use `row`; terms are converted to double.
    // `folds`, a divisor of partials: the partials are first summed to so many.
    RowSum(const std::string &name, const Halide::Var &row, const Halide::Expr &width, int partials,
           int folds, const std::function<Halide::Expr(const Halide::Expr &column)> &term, Of of = Of::sum);

    Halide::Func partial, total; // (lane, row) and (row)

    // Computes both for one row of `consumer`, `lanes` (a divisor of partials) columns a vector.
    void compute_at(const Halide::Func &consumer, const Halide::Var &row, int lanes);
    // The same on a GPU, for a block per row with a thread per partial.
    void compute_at_block(const Halide::Func &consumer, const Halide::Var &row);

  private:
    Halide::Var lane_{"lane"};
    Halide::RVar tail_, lanes_of_total_, rounds_of_folded_;
    bool whole_ = true, rest_ = true; // whether there is a stage for whole rounds, and one for the rest
    int partials_, folds_;
    Halide::Func folded_; // (lane, row): partials summed to `folds`
};

} // namespace ks
