// SPDX-License-Identifier: Apache-2.0
// What threads do with mbarriers.
#pragma once
#include "tests/emulator/warp.h"

namespace ks::emulator {

// The one at an address of the lane's own block. Throws Fault where it may not be used yet.
Mbarrier &mbarrier_at(Warp &w, uint64_t address, unsigned lane);
// For a copy that it will count: a fence must have shown it to what works asynchronously.
Mbarrier &counting_mbarrier(Mbarrier &m);
void arrive_at(Warp &w, uint64_t address, unsigned lane);

// An address of shared::cluster in the lane's own block.
uint64_t own_address(const Warp &w, uint64_t address);

} // namespace ks::emulator
