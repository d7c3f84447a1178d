// SPDX-License-Identifier: Apache-2.0
// The proof that a schedule computes each element in the thread that holds it as an accumulator, and where
// the tile lies. It looks at the algorithm's own indices and at no loop: any order of tiles will do.
#pragma once
#include "dsl/tile/cuda/dot_product.h"
#include "dsl/tile/cuda/fragment.h"

namespace ks::tile {

// Element of an allocation.
using Register = std::pair<std::string, int>;

struct Placement {
    Halide::Expr first_row;                 // of A, or of the row index
    std::vector<Halide::Expr> first_column; // row of W, for each product
    std::map<Register, int> accumulator;    // number of each, as in fragment.h
};

// `thread` is the name of the thread index. Throws ks::Error that names the first thread or element which is
// elsewhere.
Placement place(const std::vector<DotProduct> &dots, const std::string &thread, const TileOp &op);

// A store of the output, relative to the tile.
struct OutputOrigin {
    Halide::Expr first_index; // flat index of the first element of the first thread ...
    Halide::Expr index;       // ... and of a thread: its others are constant steps from it
    Halide::Expr column;      // in its row of the output; the row is that of A
    Halide::Expr row_stride;

    // Where another store of the thread lies, seen from its first one.
    Place step_to(const Halide::Expr &other) const;
};

// The same proof for the stores of results: `stores` are their flat indices in one thread.
OutputOrigin place_output(const std::vector<Halide::Expr> &stores, const Placement &placement,
                          const std::string &thread, const TileMatmul &matmul, const TileOp &op);

// The value of an expression that a proof needs to be constant; `what` is named in the ks::Error otherwise.
int constant(const Halide::Expr &e, const std::string &what);

} // namespace ks::tile
