// SPDX-License-Identifier: Apache-2.0
// What the warps of a block share, and the blocks of a cluster.
#pragma once
#include "tests/emulator/mbarrier.h"
#include "tests/emulator/memory.h"
#include <deque>

namespace ks::emulator {

// Products of a warpgroup: all of its warps must ask for the same ones.
struct ProductLog {
    std::vector<std::pair<int, std::pair<uint64_t, uint64_t>>> asked; // line, operands
};

struct Block {
    Block(int thread_count, size_t shared_bytes, bool asynchronous)
        : threads(thread_count),
          clocks(thread_count, asynchronous),
          shared(shared_bytes, clocks),
          products(static_cast<size_t>(thread_count + 127) / 128) {}
    int threads;
    bool ended = false;
    Clocks clocks;
    SharedMemory shared;
    Mbarriers mbarriers;
    std::vector<ProductLog> products; // by warpgroup
    Knowledge joining, joined; // of the cluster's barrier: arrivals, and what was known when it was over last
};

struct Cluster {
    std::deque<Block> blocks; // by rank
    int threads = 0, arrived = 0;
    uint32_t phases = 0;                                // of its barrier, that are over
    uint64_t progress = 0;                              // counts all that somebody may have waited for
    std::vector<std::pair<Mbarrier *, int64_t>> copies; // under way

    // Copies end when all warps have had their turn: who asks at once is told that they have not.
    void copy(Mbarrier &counter, size_t bytes) {
        counter.begin(static_cast<int64_t>(bytes));
        copies.push_back({&counter, static_cast<int64_t>(bytes)});
    }
    void end_copies() {
        for (const auto &[counter, bytes] : copies) counter->complete(bytes);
        progress += copies.size();
        copies.clear();
    }

    // A thread of the block arrives at the barrier of all threads.
    void arrive(Block &block, int thread) {
        block.clocks.release(thread, block.joining);
        progress++;
        if (++arrived < threads) return;
        arrived = 0, phases++;
        for (Block &b : blocks) b.joined = b.joining;
    }
};

// Addresses of shared memory in a cluster name the block above those of its own.
constexpr unsigned block_shift = 24;
inline uint64_t address_in(unsigned rank, uint64_t address) {
    return uint64_t{rank + 1} << block_shift | address;
}
inline uint64_t address_in_block(uint64_t address) { return address & ((uint64_t{1} << block_shift) - 1); }

} // namespace ks::emulator
