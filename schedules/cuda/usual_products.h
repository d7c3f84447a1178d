// SPDX-License-Identifier: Apache-2.0
// The points that serve products of any widths well, by the number of rows.
#pragma once
#include "dsl/contract.h"
#include "schedules/cuda/product_forms.h"
#include <functional>
#include <vector>

namespace ks::cuda {

// The first that fits is the one to take.
struct UsualProduct {
    int rows, columns; // at most; 0: any
    Knobs changed;     // in a space of those forms
};

std::vector<UsualProduct> usual_products(const ProductForms &forms);

} // namespace ks::cuda
