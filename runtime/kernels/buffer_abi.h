// SPDX-License-Identifier: Apache-2.0
// The calling convention of compiled kernels: Halide's halide_buffer_t, mirrored so that the runtime needs
// none of Halide's headers. tests/runtime/kernels/buffer_abi_test.cpp compares the layout with Halide's own.
#pragma once
#include <cstdint>

namespace ks {

struct KernelDim {
    int32_t min, extent, stride;
    uint32_t flags;
};

struct KernelType {
    uint8_t code, bits;
    uint16_t lanes;
};

struct KernelBuffer {
    uint64_t device;
    const void *device_interface;
    uint8_t *host;
    uint64_t flags;
    KernelType type;
    int32_t dimensions;
    KernelDim *dim;
    void *padding;
};

constexpr uint8_t kernel_int = 0, kernel_uint = 1, kernel_float = 2;

} // namespace ks
