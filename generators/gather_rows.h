// SPDX-License-Identifier: Apache-2.0
// Rows of a matrix side by side, rounded where y has 16 bits: y[r,k] = x[rows[r], k]. The rows of one expert
// become a dense matrix, which its products then read without a list. Row numbers are clamped to x, so that
// none can read outside it.
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"

namespace ks {

const Contract &gather_rows_contract();

struct GatherRows {
    explicit GatherRows(const Spec &spec);

    Operands operands;
    Halide::Var k{"k"}, r{"r"};
    Halide::Func y{"y"};
};

} // namespace ks
