// SPDX-License-Identifier: Apache-2.0
// The pack's C calls as the graph makes them. A failed call is a ks::Error with the pack's own line.
#pragma once
#include "kingsnake/ops.h"
#include "runtime/model/packed.h"

namespace ks::model {

// Rows of f32 inside a larger matrix.
struct Rows {
    float *data;
    int64_t stride; // elements between rows
};

void check(ks_status status); // throws ks::Error(ks_last_error())

// Zeroed argument struct with its size set.
template <typename Args> Args arguments() {
    Args a{};
    a.size = sizeof(Args);
    return a;
}

void linear(const ks_library &library, const PackedMatrix &w, const AlignedBytes &bias, int64_t M, Rows x, Rows y);

} // namespace ks::model
