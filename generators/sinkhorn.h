// SPDX-License-Identifier: Apache-2.0
// Sinkhorn assignment of BlackMamba's training, K = exp(2 logits), one pass a call so that the caller owns
// the loop and its stop rule: start; then passes, each fed the d1_next of the last, until `change` is small
// or a cap is reached; then plan with the last d0 and d1_next.
//
//   space linear, as coded:
//     start: d1[e] = 1 / (E sum_t K[t,e])
//     pass:  d0[t] = (1/T) / (sum_e d1[e] K[t,e] + 1e-8),  d1_next[e] = (1/E) / (sum_t d0[t] K[t,e] + 1e-8)
//            change = mean_e |d1_next - d1|
//     plan:  d1[e] K[t,e] d0[t]
//   space log, d0 and d1 are logarithms and nothing is added to the sums:
//     start: d1[e] = -log E - lse_t(2 logits[t,e])
//     pass:  d0[t] = -log T - lse_e(2 logits[t,e] + d1[e]),  d1_next[e] = -log E - lse_t(2 logits[t,e] +
//     d0[t])
//            change = max_e |d1_next - d1|, the largest relative error of a column sum of the plan of (d0,
//            d1)
//     plan:  exp(2 logits[t,e] + d0[t] + d1[e])
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"
#include "dsl/row_sum.h"
#include <optional>

namespace ks {

const Contract &sinkhorn_start_contract();
const Contract &sinkhorn_pass_contract();
const Contract &sinkhorn_plan_contract();

// A reduction of the logits' rows or columns: sums, and in log space the largest terms that are taken out of
// them.
struct SinkhornSum {
    Halide::Func top; // undefined in linear space
    Halide::Func sum;
};

struct Sinkhorn {
    // `partials`: in so many accumulators are columns reduced, side by side; 0: in one.
    Sinkhorn(const Contract &contract, const Spec &spec, const Maths &maths, int partials = 0);

    static constexpr int most_experts = 256;

    Operands operands;
    Halide::Var t{"t"}, e{"e"};
    SinkhornSum columns, rows;                                                   // start and pass; pass
    Halide::Func d0{"d0"}, d1_next{"d1_next"}, error{"error"}, change{"change"}; // pass (d1_next: start too)
    std::optional<RowSum> column_tops, column_sums,
        changes;                                     // with partials: what columns and `change` come from
    Halide::Func best, plan{"plan"}, index{"index"}; // plan

  private:
    bool log_;
    Maths maths_;
    int partials_;
    Halide::Expr tokens_, experts_;

    Halide::Expr twice(const Halide::Expr &expert, const Halide::Expr &token) const;  // 2 logits
    Halide::Expr kernel(const Halide::Expr &expert, const Halide::Expr &token) const; // exp(2 logits)
    SinkhornSum column_sum(const Halide::Func &d0) const;
    SinkhornSum column_sum_by_parts(const Halide::Func &d0);
    SinkhornSum row_sum() const;
    Halide::Expr scale(const SinkhornSum &s, const Halide::Var &at, const Halide::Expr &count,
                       float floor) const;
    void define_start();
    void define_pass();
    Halide::Expr sum_or_largest_move();
    void define_plan();
};

} // namespace ks
