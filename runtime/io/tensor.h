// SPDX-License-Identifier: Apache-2.0
// A named, dense, row-major array in memory that somebody else owns: what every reader hands out.
#pragma once
#include "runtime/base/dtype.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ks::io {

// More dimensions than any model uses; the readers refuse a shape beyond it.
constexpr size_t kMaxRank = 8;

struct Tensor {
    std::string name;
    DType dtype = DType::f32;
    std::vector<int64_t> shape;      // outermost first; empty for a scalar
    const std::byte *data = nullptr; // borrowed, row-major; may be unaligned (formats promise no alignment)
    size_t bytes = 0;                // elements() * size_of(dtype)

    // The product of the shape: 1 for a scalar. Cannot overflow for a tensor made by a reader.
    int64_t elements() const;
};

// Computes elements * size_of(dtype). Returns false for a negative dimension, more than kMaxRank dimensions
// or a size beyond int64.
bool checked_bytes(const std::vector<int64_t> &shape, DType dtype, uint64_t &bytes);

// "[2,3]", for error lines.
std::string shape_text(const std::vector<int64_t> &shape);

// A copy with every element converted to float (f64 and i64 rounded to nearest; bool to 0 or 1).
std::vector<float> to_f32(const Tensor &tensor);

} // namespace ks::io
