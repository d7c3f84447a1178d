// SPDX-License-Identifier: Apache-2.0
// Tiles that reach over the edge of the output. Their results outside of it are clipped when they leave, but
// the code that computes them must not read beside what exists at those rows and columns (bias, residual,
// gate).
#pragma once
#include "dsl/tile/cuda/placement.h"
#include <functional>
#include <set>

namespace ks::tile {

// Rows and columns that the output has. They may be known to the host alone: then they are names that the
// caller defines there.
struct Extent {
    Halide::Expr rows, columns; // undefined: no tile reaches over the last one
    bool exact() const { return !rows.defined() && !columns.defined(); }
};

// `row_count` and `column_count` stand for the numbers that are no constants.
Extent output_extent(const TileMatmul &matmul, const TileOp &op, const Halide::Expr &row_count,
                     const Halide::Expr &column_count);

// Whether the element that lies `step` from the first one of a thread is in the output.
Halide::Expr inside(const Extent &extent, const OutputOrigin &origin, const Halide::Expr &first_row,
                    const Halide::Expr &thread, const TileOp &op, Place step);

// Where a let holds a value that a thread has loaded, its uses load it themselves: each use has an edge of
// its own. Lets that are the same for the whole block stay.
Halide::Internal::Stmt with_loads_in_place(const Halide::Internal::Stmt &body, const std::string &thread);

// The value with every load outside of `own` memory redirected to element 0 where `inside` does not hold.
Halide::Expr load_inside(const Halide::Expr &value, const Halide::Expr &inside,
                         const std::set<std::string> &own);

// The same with a condition for each load; undefined: it is always inside.
using InsideOf = std::function<Halide::Expr(const Halide::Internal::Load *)>;
Halide::Expr load_inside(const Halide::Expr &value, const InsideOf &inside_of,
                         const std::set<std::string> &own);

} // namespace ks::tile
