// SPDX-License-Identifier: Apache-2.0
// The emitter for sm_80 and later: mma.sync on tiles that all threads of the block copy with cp.async,
// several steps of K ahead. It holds accumulators where wgmma does, so schedule and pass are the same; there
// are no producers, and results leave by Halide's own stores.
//
// Between the calls live, in registers of the whole kernel:
//   %ks_base                 first byte of the shared memory, SharedLayout
//   %ks_k, %ks_steps         length of the sums and its steps, where the launch says it
//   %ks_acc<n>               accumulators
//   %ks_a, %ks_w, %ks_row<i> addresses of the operands, and where the rows begin that this thread copies:
//   those
//                            of A, then those of W
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile::mma {

std::map<std::string, ptx::Expansion> expansions(const TileOp &op);

// All of K of one tile.
void multiply(Code &code, const TileOp &op);

// The text with its registers and launch bounds. Throws ks::Error as wgmma::with_entry does.
std::string with_entry(const std::string &ptx, const TileOp &op);

} // namespace ks::tile::mma
