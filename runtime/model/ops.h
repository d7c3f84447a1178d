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

// Rows as a product takes them: f32, or bf16 where its weights come in pairs.
struct Activations {
    const std::byte *data;
    int64_t stride;  // elements between rows
    int64_t element; // bytes
    Activations from(int64_t row) const { return {data + row * stride * element, stride, element}; }
};

void check(ks_status status); // throws ks::Error(ks_last_error())

// Zeroed argument struct with its size set.
template <typename Args>
Args arguments() {
    Args a{};
    a.size = sizeof(Args);
    return a;
}

} // namespace ks::model
