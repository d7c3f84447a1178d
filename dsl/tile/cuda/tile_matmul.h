// SPDX-License-Identifier: Apache-2.0
// A matrix product in an algorithm, as the schedule, the tensorizing pass and the launch need to know it:
//
//   product(column, row) = 0;  product(column, row) += widen(a(k, row)) * widen(w(k, column))    k in [0, K)
//   out(column, row) = any function of the products at that column, 16 bits wide for a staged store
//
// Rows of `a` may come from an index, a(k, rows(row)), and columns of `w` from an expert chosen for each tile
// of rows: then the product has a third dimension, the tile, and `row` counts within it; so has `out`, or its
// update writes rows anywhere (tile_schedule_of_update).
#pragma once
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile {

struct TileMatmul {
    Halide::Func out;
    std::vector<Halide::Func> products; // f32; in the order in which their columns lie in a tile
    Halide::ImageParam a, w;            // UInt(16)
    Halide::ImageParam rows;            // Int(32); undefined when rows are not gathered
    Halide::ImageParam experts;         // Int(32), by tile of rows; undefined when there are none

    // The product that an allocation or a stage of Halide's IR belongs to, by its name; -1: none.
    int product_of(const std::string &name) const;
};

// Elements from one row to the next: a constant, or else the extent of a row, which then has no gap behind
// it. Throws ks::Error when the algorithm says neither: the position of an element is then not known to be
// row * stride + k.
Halide::Expr row_stride(const Halide::Parameter &buffer);

} // namespace ks::tile
