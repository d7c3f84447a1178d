// SPDX-License-Identifier: Apache-2.0
// Residual add and normalisation of every row:
//
//   residual <- hidden + residual (or hidden alone);  v = round(residual)
//   rms_norm:   y = round(v rsqrt(mean(v^2) + eps) weight)
//   layer_norm: y = round((v - mean(v)) rsqrt(mean((v - mean(v))^2) + eps) weight + bias)
//
// The residual keeps the unrounded sum. Sums over a row are in double precision, and the variance is taken
// around the mean (two passes).
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"
#include "dsl/row_sum.h"
#include "generators/flags.h"
#include <memory>

namespace ks {

const Contract &rms_norm_contract();
const Contract &layer_norm_contract();

struct Norm {
    Norm(const Contract &contract, const Spec &spec, int partials, int folds); // of its sums: dsl/row_sum.h

    Operands operands;
    Halide::Var h{"h"}, t{"t"};
    std::unique_ptr<RowSum> first;  // of v^2 or v; its partial replaces the residual by assign()
    std::unique_ptr<RowSum> second; // layer_norm: of (v - mean)^2
    Halide::Func y{"y"};
};

} // namespace ks
