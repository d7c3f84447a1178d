// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/difference.h"
#include "autotune/cases/element.h"
#include "autotune/cases/values.h"
#include <algorithm>
#include <cmath>
#include <mutex>

namespace ks::cases {

Difference largest_difference(const std::string &storage, const uint8_t *bytes, const Values &wanted,
                              double allowed) {
    size_t element = element_size(storage);
    auto is = [&](size_t i) { return element_at(storage, bytes + i * element); };
    Difference all;
    std::mutex mutex;
    in_blocks(wanted.size(), [&](size_t first, size_t end) {
        double largest = 0;
        std::optional<size_t> bad;
        for (size_t i = first; i < end; i++) {
            double value = is(i), error = value == wanted[i] ? 0 : std::abs(value - wanted[i]);
            largest = std::max(largest, error); // not NaN's, which is further off than anything allowed
            if (!bad && !(error <= allowed)) bad = i;
        }
        std::lock_guard<std::mutex> lock(mutex);
        all.largest = std::max(all.largest, largest);
        if (bad && (!all.first || *bad < *all.first)) all.first = bad;
    });
    if (all.first) all.is = is(*all.first);
    return all;
}

} // namespace ks::cases
