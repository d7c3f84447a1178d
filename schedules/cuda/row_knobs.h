// SPDX-License-Identifier: Apache-2.0
// The knobs of a product of few rows (dsl/tile/cuda/row_plan.h), for the space of any op that has one.
#pragma once
#include "dsl/tile/cuda/row_plan.h"
#include "schedules/space.h"

namespace ks::cuda {

// What the op knows of its product.
struct RowProblem {
    Storage x = Storage::bf16, w = Storage::bf16;
    int K = 0, columns = 0; // 0: not known
    int divisor = 1;        // of which K is known to be a multiple
    int parts = 1;          // products of the same rows
};

// Adds the knobs. Where `on` does not hold they stay at their defaults: one kernel is one point.
void add_row_knobs(Space &s, const RowProblem &p, const std::function<bool(const Knobs &)> &on);

tile::RowPlan row_plan(const Knobs &k, const RowProblem &p);

} // namespace ks::cuda
