// SPDX-License-Identifier: Apache-2.0
// The sums of one thread, read off its lowered code. Tensor cores compute acc = sum of a * b and nothing
// else, so everything else is refused here.
#pragma once
#include "dsl/tile/cuda/tile_matmul.h"

namespace ks::tile {

// allocation[index] = sum over k in [0, K) of a(k, row) * w(k, column)
struct DotProduct {
    std::string allocation;
    int index;
    int product;
    Halide::Expr row;    // of A; of the row index when rows are gathered
    Halide::Expr column; // row of W
};

// All of them, of a thread body without lets. Throws ks::Error when a product is computed in another way.
std::vector<DotProduct> dot_products(const Halide::Internal::Stmt &body, const TileMatmul &matmul,
                                     const TileOp &op);

} // namespace ks::tile
