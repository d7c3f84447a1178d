// SPDX-License-Identifier: Apache-2.0
// Results that leave from registers in whole rows of 32 columns. A thread's own store is a pair of columns,
// so that a warp's touches eight rows in half a sector each. The four lanes of a quad hold, of one row, four
// groups of eight columns as a matrix of pairs; transposed between them (quad_exchange.h), each has one group
// and stores 16 bytes.
//
// The pairs may be stored in any order and under any conditions that are the same for the pairs of a group:
// these go around the store, for all lanes of a warp take part in the exchange. Proved is that the lanes of a
// quad store side by side, at multiples of 16 bytes, under the same conditions.
#pragma once
#include "dsl/tile/cuda/consumer.h"

namespace ks::tile {

// The consumers' code with every four stores of pairs replaced. Throws ks::Error when that cannot be, or when
// anything else stands beside them.
Halide::Internal::Stmt quad_stores(const Halide::Internal::Stmt &code, const TileContext &context);

} // namespace ks::tile
