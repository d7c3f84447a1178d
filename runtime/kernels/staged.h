// SPDX-License-Identifier: Apache-2.0
// A call whose operands are in host memory, for programs that have their data there (ks op, tests): on a GPU
// they are copied to the device, the op runs, and what it wrote comes back.
#pragma once
#include "runtime/kernels/cuda/memory.h"
#include "runtime/kernels/library.h"

namespace ks {

// The device copies of one call's operands. The host memory of `args` must outlive it.
class StagedCall {
  public:
    // `args` must be legal for a launch on a CPU. Throws ks::Error when the device has no room for its
    // operands.
    StagedCall(const ks_library &library, int op, const void *args);

    ks_status launch(void *stream); // as the op's C function, on the copies
    void fetch(); // waits, then copies what was written to where `args` has it; throws ks::Error when a
                  // kernel failed

  private:
    // The bytes that the call reaches through one field of its struct.
    struct Copy {
        uint8_t *host;
        size_t bytes;
        bool written;
        cuda::DeviceMemory memory;
    };
    void add(size_t slot, const void *host, size_t bytes, bool written);

    const ks_library &library_;
    int op_;
    std::vector<int64_t> slots_; // of the struct
    std::vector<Copy> copies_;
};

// As launch(), for host memory on any library; returns when the results are there. Memory between the rows of
// a strided result keeps its bytes.
ks_status launch_staged(const ks_library *library, int op, const void *args);

} // namespace ks
