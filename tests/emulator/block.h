// SPDX-License-Identifier: Apache-2.0
// A launch, block after block, or cluster after cluster.
#pragma once
#include "tests/emulator/warp.h"

namespace ks::emulator {

// Throws Fault at the first thing that a kernel may not do.
void run(const Launch &launch, const GlobalMemory &global);

} // namespace ks::emulator
