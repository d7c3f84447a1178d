// SPDX-License-Identifier: Apache-2.0
// A call whose operands are in host memory, for programs that have their data there (ks op, tests): on a GPU
// they are copied to the device, the op runs, and what it wrote comes back.
#pragma once
#include "runtime/kernels/call.h"
#include "runtime/kernels/cuda/memory.h"

namespace ks {

// One call with its operands copied to the device. The host memory must outlive it.
class StagedCall {
  public:
    // `call` was read for a CPU, where its operands are. Throws ks::Error when the device has no room for
    // them.
    StagedCall(const ks_library &library, const Call &call);

    ks_status launch(void *stream); // as the op's C function, on the copies
    void fetch(); // waits, then copies what was written to where the host has it; throws ks::Error when a
                  // kernel failed

  private:
    // The bytes that the call reaches through one of its pointers.
    struct Copy {
        uint8_t *host;
        size_t bytes;
        bool written;
        cuda::DeviceMemory memory;
    };
    void *copied(const void *host, size_t bytes, bool written);

    const ks_library &library_;
    Call call_; // on the copies
    std::vector<Copy> copies_;
};

// As launch(), for host memory on any library; returns when the results are there. Memory between the rows of
// a strided result keeps its bytes.
ks_status launch_staged(const ks_library *library, int op, const void *args);

} // namespace ks
