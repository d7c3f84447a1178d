// SPDX-License-Identifier: Apache-2.0
// The frame of a tile kernel: edits on the text around its calls, for every emitter.
#pragma once
#include "dsl/tile/cuda/operands.h"
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile {

// What an emitter adds: parameters of 128 bytes behind Halide's, and code at the start of the kernel. Every
// kernel gets its launch bounds, its accumulators %ks_acc<n>, and %ks_base, where its shared memory begins.
// Throws ks::Error when the text holds not exactly one kernel.
std::string framed(const std::string &ptx, const TileOp &op, const std::vector<std::string> &parameters,
                   const std::string &start);

// The name of the parameter with an operand's address. Throws ks::Error as operands() does.
std::string parameter(const std::string &ptx, calls::Operand which);

} // namespace ks::tile
