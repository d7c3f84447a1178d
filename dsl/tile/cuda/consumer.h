// SPDX-License-Identifier: Apache-2.0
// What is left of a tile for its consumers once the tensor cores have computed the sums: the rest of the
// algorithm, reading accumulators, and its results on their way out.
#pragma once
#include "dsl/tile/cuda/edges.h"
#include "dsl/tile/cuda/lets.h"

namespace ks::tile {

// What the rewriting needs to know of the kernel.
struct TileContext {
    const TileMatmul &matmul;
    const TileOp &op;
    std::string thread; // name of the thread index
    const Placement &placement;
    const OutputOrigin *output;   // of a staged store; null: Halide's stores stay
    Extent extent;                // of the output, for a staged store
    std::set<std::string> shared; // Halide's own shared memory ...
    std::set<std::string> own;    // ... and all that the kernel itself allocates
    InlineLets &lets;
    // What is known of names from around the kernel.
    const Halide::Internal::Scope<Halide::Internal::ModulusRemainder> &around;
};

// Throws ks::Error when results leave under a condition, in a loop, or not block after block.
Halide::Internal::Stmt consumer_code(const Halide::Internal::Stmt &tile, const TileContext &context);

} // namespace ks::tile
