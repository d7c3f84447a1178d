// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstddef>

namespace ks::oracle {

// The largest of n values, the first among equals. NaN never wins, unless all are NaN: then 0.
inline size_t argmax(const double *values, size_t n) {
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (values[i] > values[best] || (std::isnan(values[best]) && !std::isnan(values[i]))) best = i;
    return best;
}

} // namespace ks::oracle
