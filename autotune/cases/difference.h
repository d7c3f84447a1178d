// SPDX-License-Identifier: Apache-2.0
// Results as they lie in memory against what they should be.
#pragma once
#include "autotune/cases/problem.h"
#include <cstdint>
#include <optional>

namespace ks::cases {

struct Difference {
    double largest = 0;          // absolute, of elements that are not NaN
    std::optional<size_t> first; // the first element that is further off than allowed, or NaN
    double is = 0;               // that element
};

// On all cores. `bytes` holds as many elements of that storage as `wanted` has values.
Difference largest_difference(const std::string &storage, const uint8_t *bytes, const Values &wanted,
                              double allowed);

} // namespace ks::cases
