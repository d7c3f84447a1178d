// SPDX-License-Identifier: Apache-2.0
// A kernel whose matrix product runs on tensor cores: what tile_schedule laid out, tensorized.
#pragma once
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/tile/cuda/tile_matmul.h"
#include "runtime/kernels/cuda/tile_launch.h"

namespace ks::tile {

// Adds the pass, what becomes of its pseudo-calls, the architecture, and the description of the launch.
// Without it the kernel computes the same, slowly. Throws ks::Error when `op` is no legal tile operation or
// an operand no legal one of it.
void use_tensor_cores(Kernel &kernel, const TileMatmul &matmul, const TileOp &op);

// What the launch of a kernel has to bring, by the text that Halide wrote. Throws ks::Error as operands()
// does.
cuda::TileLaunch tile_launch(const std::string &halide_ptx, const TileOp &op);

} // namespace ks::tile
