// SPDX-License-Identifier: Apache-2.0
// Matrix product with packed weights: y = x W^T + bias. W is kept in panels of adjacent outputs, all of K for
// one panel before the next, so that one row of x streams the weights in order.
#pragma once
#include "dsl/operands.h"
#include "dsl/tile/panel_product.h"
#include "generators/flags.h"

namespace ks {

const Contract &linear_contract();

struct Linear {
    explicit Linear(const Spec &spec);

    Operands operands;
    PanelProduct product;
    Halide::Func y{"y"}; // (lane, panel, row)
};

// The terms of a product of operand `x`, [rows, K], with the panelled operand w, by pairs where io is bf16.
void take_product(PanelProduct::Terms &terms, const Operands &in, const std::string &x);

// The weights of a panelled operand [P, K, lanes] promise the strides that the packing gives them inside a
// panel.
void promise_packed(Halide::ImageParam w, int lanes);

} // namespace ks
