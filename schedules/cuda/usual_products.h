// SPDX-License-Identifier: Apache-2.0
// The points that serve products of any widths well, by the number of rows.
#pragma once
#include "dsl/contract.h"
#include "schedules/cuda/product_forms.h"
#include <functional>
#include <vector>

namespace ks::cuda {

// Up to so many rows (0: any) and, where `narrow`, so few columns that tiles load few multiprocessors; the
// first that fits is the one to take.
struct UsualProduct {
    int rows;
    bool narrow;
    Knobs changed; // in a space of those forms
};
constexpr int narrow_columns = 256;

std::vector<UsualProduct> usual_products(const ProductForms &forms);

} // namespace ks::cuda
