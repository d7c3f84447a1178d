// SPDX-License-Identifier: Apache-2.0
// The PTX of a kernel for a GPU, as it would go to ptxas.
#pragma once
#include "dsl/ptx/cuda_kernel.h"

namespace ks::test {

inline std::string device_text(const Kernel &kernel) {
    Halide::Module module = lower_to_module(kernel, "kernel", kernel_target("cuda"));
    return ptx::device_text(kernel, "kernel", ptx::ptx_of(module));
}

} // namespace ks::test
