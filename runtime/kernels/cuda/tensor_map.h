// SPDX-License-Identifier: Apache-2.0
// Tensor maps: what the copy engine of compute capability 9.0 and later must know of a buffer.
#pragma once
#include "runtime/kernels/buffer_abi.h"
#include "runtime/kernels/cuda/tile_launch.h"

namespace ks::cuda {

// CUtensorMap: a kernel parameter, passed by value.
struct alignas(64) TensorMap {
    uint64_t words[16];
};

// `map` becomes that of a buffer on the device, as TensorMapOf describes it. It is arithmetic on the host:
// nothing is allocated or waited for. Throws ks::Error when the buffer is no rows of whole 16 bytes at a
// multiple of 16 bytes, or when the driver refuses. (Not as a result: GCC 12 aligns no temporary to 64 bytes,
// which the driver asks for.)
void set_tensor_map(TensorMap &map, const KernelBuffer &buffer, const TensorMapOf &shape);

} // namespace ks::cuda
