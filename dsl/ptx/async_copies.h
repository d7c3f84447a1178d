// SPDX-License-Identifier: Apache-2.0
// Copies of 16 bytes from global to shared memory, which Halide makes through registers, as asynchronous ones
// (PTX ISA: cp.async, sm_80 on). A load in flight holds a register and a scoreboard until it is stored; an
// asynchronous copy holds nothing.
#pragma once
#include <string>

namespace ks::ptx {

struct AsyncCopies {
    std::string ptx;
    int count = 0; // copies that became asynchronous
};

// A load ld.global.nc of 16 bytes (v4.b32, or v2.b64 as LLVM merges them) whose registers go into one
// st.shared of the same shape and nowhere else becomes cp.async at the place of the store; every barrier
// first waits for the copies of its thread. Other loads stay as they are: the caller checks `count`. Throws
// ks::Error for such a pair that cannot be moved: in two basic blocks, or predicated.
AsyncCopies async_copies(const std::string &ptx);

} // namespace ks::ptx
