// SPDX-License-Identifier: Apache-2.0
// Results as they lie in memory against what they should be.
#pragma once
#include "autotune/cases/problem.h"
#include <cstdint>
#include <optional>

namespace ks::cases {

struct Difference {
    double largest = 0;          // absolute; NaN where the result has one that was not wanted
    std::optional<size_t> first; // the first element that is further off than allowed
    double is = 0;               // that element
};

// On all cores. `bytes` holds as many elements of that storage as `wanted` has values.
Difference largest_difference(const std::string &storage, const uint8_t *bytes, const Values &wanted,
                              double allowed);

} // namespace ks::cases
