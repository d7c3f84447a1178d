// SPDX-License-Identifier: Apache-2.0
// Where the GPU kernels of this thread go. Objects that dsl/ptx/cuda_kernel.h compiled call five functions of
// Halide's CUDA runtime under names of ours (host_abi.cpp). They launch on the caller's stream in the
// device's primary context (that of the CUDA runtime and of PyTorch); modules and functions are loaded once
// per device. A launch of what is loaded allocates nothing, waits for nothing and takes no lock, so it may be
// captured into a CUDA graph.
#pragma once
#include "runtime/kernels/cuda/here.h"
#include <string>

namespace ks::cuda {

// A device's primary context, held until the process ends.
struct OpenDevice {
    int ordinal;
    Device device;
    Context context;
    int major, minor; // compute capability
    int most_shared;  // bytes of shared memory that a block may ask for
    int multiprocessors;
    int cache_bytes; // of the second level
    std::string name;
};

constexpr int most_devices = 64;

// Opened at the first call; any thread. Throws ks::Error: no driver, no such device.
const OpenDevice &device(int ordinal);

// Makes the device's context this thread's while it lives.
class ContextScope {
  public:
    explicit ContextScope(const OpenDevice &device); // throws ks::Error when the driver refuses
    ~ContextScope();
    ContextScope(const ContextScope &) = delete;
    ContextScope &operator=(const ContextScope &) = delete;

  private:
    bool pushed_;
};

// Makes kernel calls of this thread go to a stream of a device while it lives. The code of a kernel object
// drops what its calls return, so the scope keeps the first error. Scopes may nest: the innermost takes the
// calls and their errors, and its end gives back the one around it. A call outside of every scope launches
// nothing, and nobody is told: ks_cuda_run returns non-zero to host code that drops it.
class LaunchScope {
  public:
    LaunchScope(const OpenDevice &device, Stream stream); // throws ks::Error when the driver refuses
    ~LaunchScope();
    const std::string &error() const { return error_.line; } // one line, or empty: all is well so far
    bool out_of_memory() const { return error_.memory; }     // whether it says that memory ran out

  private:
    ContextScope context_;
    LaunchError error_;
    Here outer_;
};

} // namespace ks::cuda
