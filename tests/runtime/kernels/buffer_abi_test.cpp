// SPDX-License-Identifier: Apache-2.0
// The mirrored calling convention has the layout of Halide's own header.
#include "HalideRuntime.h"
#include "runtime/kernels/buffer_abi.h"
#include <cstddef>
#include <gtest/gtest.h>

TEST(BufferAbi, SameLayoutAsHalide) {
    using ks::KernelBuffer, ks::KernelDim, ks::KernelType;
    EXPECT_EQ(sizeof(KernelBuffer), sizeof(halide_buffer_t));
    EXPECT_EQ(offsetof(KernelBuffer, device), offsetof(halide_buffer_t, device));
    EXPECT_EQ(offsetof(KernelBuffer, device_interface), offsetof(halide_buffer_t, device_interface));
    EXPECT_EQ(offsetof(KernelBuffer, host), offsetof(halide_buffer_t, host));
    EXPECT_EQ(offsetof(KernelBuffer, flags), offsetof(halide_buffer_t, flags));
    EXPECT_EQ(offsetof(KernelBuffer, type), offsetof(halide_buffer_t, type));
    EXPECT_EQ(offsetof(KernelBuffer, dimensions), offsetof(halide_buffer_t, dimensions));
    EXPECT_EQ(offsetof(KernelBuffer, dim), offsetof(halide_buffer_t, dim));
    EXPECT_EQ(sizeof(KernelDim), sizeof(halide_dimension_t));
    EXPECT_EQ(offsetof(KernelDim, min), offsetof(halide_dimension_t, min));
    EXPECT_EQ(offsetof(KernelDim, extent), offsetof(halide_dimension_t, extent));
    EXPECT_EQ(offsetof(KernelDim, stride), offsetof(halide_dimension_t, stride));
    EXPECT_EQ(sizeof(KernelType), sizeof(halide_type_t));
    EXPECT_EQ(int{ks::kernel_float}, int{halide_type_float});
    EXPECT_EQ(int{ks::kernel_int}, int{halide_type_int});
    EXPECT_EQ(int{ks::kernel_uint}, int{halide_type_uint});
}
