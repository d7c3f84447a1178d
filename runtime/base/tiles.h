// SPDX-License-Identifier: Apache-2.0
// Tiles of routed rows: an expert's rows in whole tiles of so many slots.
#pragma once
#include <algorithm>
#include <cstdint>

namespace ks {

// As many tiles as any routing of `rows` rows to `experts` experts fills at most.
inline int64_t most_tiles(int64_t rows, int64_t experts, int64_t slots) {
    return std::min(rows, (rows + experts * (slots - 1)) / slots);
}

} // namespace ks
