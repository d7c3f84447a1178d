// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/block.h"
#include <algorithm>

namespace ks::emulator {

namespace {

void run_block(const Launch &launch, const unsigned (&at)[3], const GlobalMemory &global) {
    SharedMemory shared(launch.kernel->shared_bytes + launch.shared_bytes);
    const int threads = static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2]);
    std::vector<Warp> warps;
    warps.reserve(static_cast<size_t>(threads + 31) / 32);
    for (int first = 0; first < threads; first += 32) warps.emplace_back(launch, at, first, shared, global);
    for (;;) {
        for (Warp &w : warps) w.run();
        auto waits = std::find_if(warps.begin(), warps.end(), [](const Warp &w) { return w.waiting(); });
        if (waits == warps.end()) return;
        for (const Warp &w : warps) w.check_barrier(waits->barrier());
        for (Warp &w : warps) w.release();
        shared.barrier();
    }
}

} // namespace

void run(const Launch &launch, const GlobalMemory &global) {
    const unsigned *grid = launch.grid;
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0]; x++) run_block(launch, {x, y, z}, global);
}

} // namespace ks::emulator
