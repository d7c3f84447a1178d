// SPDX-License-Identifier: Apache-2.0
// Matrix product: y = x W^T + bias. For CPUs W is kept in panels of adjacent outputs, all of K for one panel
// before the next, so that one row of x streams the weights in order; for GPUs as checkpoints have it.
#pragma once
#include "dsl/operands.h"
#include "dsl/tile/panel_product.h"
#include "generators/flags.h"
#include "generators/product_operands.h"

namespace ks {

const Contract &linear_contract();

struct Linear {
    explicit Linear(const Spec &spec);

    Operands operands;
    PanelProduct product;
    Halide::Func y{"y"}; // (lane, panel, row)
};

// The same with W in rows of K, the choice panel = 1. Results are converted by PackPass.
struct LinearOfRows {
    LinearOfRows(const Spec &spec, Reads reads);

    // Added to the sums of a column.
    Halide::Expr bias(const Halide::Expr &column) const;
    // y from sums that include the bias: for executions with a product of their own.
    Halide::Func output(const Halide::Expr &sums) const;

    // Rows without gaps, whose lengths are what the Spec says of the widths: what the runtime ensures for all
    // but base kernels.
    void promise_dense();

    Operands operands;
    Halide::Var n{"n"}, m{"m"};
    Halide::Expr K, N; // the widths, as what the Spec knows of them
    Halide::RDom k;
    Halide::Func x{"xs"}, w{"ws"};           // f32: (k, m), (k, n)
    Halide::Func product{"product"}, y{"y"}; // (n, m)

  private:
    Reads reads_;
};

// The terms of a product of operand `x`, [rows, K], with the panelled operand w, by pairs where io is bf16.
void take_product(PanelProduct::Terms &terms, const Operands &in, const std::string &x);

// The weights of a panelled operand [P, K, lanes] promise the strides that the packing gives them inside a
// panel.
void promise_packed(Halide::ImageParam w, int lanes);

} // namespace ks
