// SPDX-License-Identifier: Apache-2.0
// What a kernel's resources mean on a GPU, without one: how many blocks are resident, and whether one can be
// launched at all. Source of limits and rules: CUDA C++ Programming Guide, "Compute Capabilities", and the
// occupancy calculator of the CUDA toolkit.
#pragma once
#include "dsl/ptx/resources.h"
#include <string>

namespace ks::ptx {

// Of one streaming multiprocessor.
struct Multiprocessor {
    int warps, blocks;                  // resident at most
    int shared_bytes, shared_per_block; // of all blocks, and of one (dynamic shared memory included)
};

// Of "sm_90", "sm_90a" and the like. Throws ks::Error for an architecture that is not in the table (sm_80
// on).
Multiprocessor multiprocessor(const std::string &arch);

// Of a grid, in any dimension but the first.
constexpr int most_blocks = 65535;

struct Block {
    int threads;
    int dynamic_shared = 0; // bytes, beside what the text declares
};

// Blocks that are resident on a multiprocessor at the same time; 0: one block is too much.
int resident_blocks(const Resources &kernel, const Block &block, const std::string &arch);

// Why no block can be launched: one line, or empty.
std::string unfit(const Resources &kernel, const Block &block, const std::string &arch);

} // namespace ks::ptx
