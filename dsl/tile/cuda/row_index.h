// SPDX-License-Identifier: Apache-2.0
// Indices of buffers whose rows are a parameter of the kernel long: index = row * stride + column. Halide's
// simplifier divides by constants only, so an index is taken apart as a polynomial.
#pragma once
#include "Halide.h"
#include <optional>

namespace ks::tile {

struct RowIndex {
    Halide::Expr row, column;
};

// The only ones for which neither has the stride in it; nothing when the index is no such sum. `stride` is a
// product of a constant and of what is no sum itself, such as (extent / 8) * 8. Where the column lies in the
// row is not known.
std::optional<RowIndex> row_index(const Halide::Expr &index, const Halide::Expr &stride);

} // namespace ks::tile
