// SPDX-License-Identifier: Apache-2.0
#include "runtime/kernels/cuda/tensor_map.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/driver.h"

namespace ks::cuda {

namespace {

// Of the driver's enumerations (cuda.h).
constexpr int type_uint16 = 1, type_uint32 = 2, no_interleave = 0, swizzle_128_bytes = 3,
              promote_l2_128_bytes = 2, zeros_outside = 0;
constexpr unsigned box_bytes = 128, alignment = 16;

// Rows of dimension 0 from the first to the last; all dimensions beyond dimension 1 lie a whole number of
// them apart.
uint64_t rows_of(const KernelBuffer &buffer, int64_t stride) {
    uint64_t last = 0;
    for (int d = 1; d < buffer.dimensions; d++) {
        const KernelDim &dim = buffer.dim[d];
        if (dim.stride % stride)
            throw Error("tensor map", "the buffer's dimensions are no rows below each other");
        last += static_cast<uint64_t>(dim.extent - 1) * static_cast<uint64_t>(dim.stride / stride);
    }
    return last + 1;
}

} // namespace

void set_tensor_map(TensorMap &map, const KernelBuffer &buffer, const TensorMapOf &shape) {
    unsigned bytes = buffer.type.bits / 8u;
    if (buffer.dimensions < 2 || (bytes != 2 && bytes != 4) || buffer.dim[0].stride != 1 ||
        buffer.dim[1].stride <= 0)
        throw Error("tensor map", "the buffer is no matrix of 16-bit or 32-bit elements, row after row");
    int64_t stride = buffer.dim[1].stride;
    uint64_t row_bytes = static_cast<uint64_t>(stride) * bytes;
    if (buffer.device % alignment || row_bytes % alignment)
        throw Error("tensor map", "the buffer's rows do not begin at multiples of 16 bytes");
    uint64_t columns = shape.columns ? shape.columns : static_cast<uint64_t>(buffer.dim[0].extent);
    uint64_t size[2] = {columns, rows_of(buffer, stride)};
    uint32_t box[2] = {box_bytes / bytes, shape.box_rows}, every_element[2] = {1, 1};
    const Driver &d = driver();
    if (!d.encode_tensor_map) throw Error("NVIDIA driver", "has no cuTensorMapEncodeTiled: it is too old");
    check(d.encode_tensor_map(&map, bytes == 2 ? type_uint16 : type_uint32, 2, buffer.device, size,
                              &row_bytes, box, every_element, no_interleave, swizzle_128_bytes,
                              promote_l2_128_bytes, zeros_outside),
          "tensor map");
}

} // namespace ks::cuda
