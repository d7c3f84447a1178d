// SPDX-License-Identifier: Apache-2.0
// From the PTX that Halide wrote for a tensorized kernel to PTX that runs, and what its launch has to bring.
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/tile_op.h"

#include "runtime/kernels/cuda/tile_launch.h"

namespace ks::tile {

struct TileText {
    std::string ptx;
    cuda::TileLaunch launch;
};

// // `others` are the pseudo-calls of the algorithm itself. Throws ks::Error when the text is not that of one
// kernel that TensorizePass made.
TileText tile_text(const std::string &halide_ptx, const TileOp &op,
                   const std::map<std::string, ptx::Expansion> &others = {});

// The place among its kernel's parameters, from 0, of the buffer that `value` was loaded from. It follows the
// registers back; throws ks::Error when that does not end at a parameter.
int parameter_behind(const std::string &ptx, const std::string &value);

} // namespace ks::tile
