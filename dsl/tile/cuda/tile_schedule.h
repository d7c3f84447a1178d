// SPDX-License-Identifier: Apache-2.0
// The schedule of a tile operation. It is an ordinary, legal GPU schedule in which every thread computes,
// each with a serial loop over K, the very elements that it would hold as accumulators of the tensor cores.
// Without TensorizePass it runs slowly and gives the same results.
#pragma once
#include "dsl/tile/cuda/tile_matmul.h"

namespace ks::tile {

// Throws ks::Error when `op` is no legal tile operation or does not fit the algorithm.
void tile_schedule(const TileMatmul &matmul, const TileOp &op);

} // namespace ks::tile
