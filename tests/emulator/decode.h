// SPDX-License-Identifier: Apache-2.0
// What an instruction does: set from its name and operands.
#pragma once
#include "tests/emulator/program.h"

namespace ks::emulator {

// Throws Fault for an instruction that is not known.
void decode(Instruction &i);

// Parts of it: false where the name is none of theirs.
bool decode_access(Instruction &i);     // loads, stores and copies: access.cpp
bool decode_collective(Instruction &i); // what a warp does together: collective.cpp

} // namespace ks::emulator
