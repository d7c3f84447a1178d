// SPDX-License-Identifier: Apache-2.0
// What an instruction does: set from its name and operands.
#pragma once
#include "tests/emulator/program.h"

namespace ks::emulator {

// Throws Fault for an instruction that is not known.
void decode(Instruction &i);

// Parts of it: false where the name is none of theirs.
bool decode_access(Instruction &i);   // loads and stores: access.cpp
bool decode_copy(Instruction &i);     // cp.async of a thread: copies.cpp
bool decode_bulk(Instruction &i);     // and of boxes: bulk.cpp
bool decode_mbarrier(Instruction &i); // and fences: mbarrier_use.cpp
bool decode_cluster(Instruction &i);  // what threads of a cluster do to each other: cluster_use.cpp
bool decode_exchange(Instruction &i); // what a warp does together: collective.cpp
bool decode_matrices(Instruction &i); // its products of matrices
bool decode_wgmma(Instruction &i);    // those of a warpgroup

// Instructions that are known by their whole name.
struct Known {
    const char *name;
    Step step;
    std::vector<size_t> operands; // elements of each list, coordinates of an address; 0: one value
};
bool decode_known(Instruction &i, const Known *known, size_t count);
// Those that all lanes of a warp which have not ended do together.
bool decode_collective(Instruction &i, const Known *known, size_t count);

} // namespace ks::emulator
