// SPDX-License-Identifier: Apache-2.0
// A ks::Kernel compiled into this process: the same algorithm, schedule and passes that a pack would hold.
#pragma once
#include "dsl/kernel.h"

namespace ks::test {

class JitKernel {
  public:
    // `target` as for a pack (kernel_target("avx2")). Throws ks::Error as compile() does.
    JitKernel(const Kernel &kernel, const Halide::Target &target);

    // Arguments in kernel order: the inputs and in-place buffers (halide_buffer_t *), the scalars (pointers
    // to int or float), the outputs (halide_buffer_t *). Returns the kernel's status, 0 when it ran. Throws
    // ks::Error when their number is wrong, or when the kernel asked for heap memory. One thread at a time.
    int operator()(const std::vector<void *> &args) const;

  private:
    Halide::Callable callable_;
    size_t arguments_;
};

// Whether this CPU runs kernels of `isa` ("avx2", "avx512" or "avx512_bf16").
bool cpu_runs(const std::string &isa);

} // namespace ks::test
