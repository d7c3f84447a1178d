// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/block.h"
#include <algorithm>

namespace ks::emulator {

namespace {

// The warps of a cluster take turns: each runs until it waits for others.
class Turns {
  public:
    Turns(const Launch &launch, const unsigned (&first)[3], const GlobalMemory &global) {
        const Kernel &kernel = *launch.kernel;
        const int threads = static_cast<int>(launch.block[0] * launch.block[1] * launch.block[2]);
        const size_t count = static_cast<size_t>(threads + 31) / 32;
        cluster_.threads = threads * static_cast<int>(kernel.cluster);
        warps_.resize(kernel.cluster);
        for (unsigned rank = 0; rank < kernel.cluster; rank++) {
            const unsigned at[3] = {first[0] + rank, first[1], first[2]};
            cluster_.blocks.emplace_back(threads, kernel.shared_bytes + launch.shared_bytes,
                                         kernel.asynchronous);
            warps_[rank].reserve(count);
            for (int t = 0; t < threads; t += 32)
                warps_[rank].emplace_back(launch, at, t, cluster_, rank, global);
        }
    }

    void run() {
        for (bool left = true; left;) {
            const uint64_t before = cluster_.progress;
            left = false;
            for (size_t rank = 0; rank < warps_.size(); rank++) left = turn(rank) || left;
            cluster_.end_copies();
            if (left && cluster_.progress == before) report();
        }
    }

  private:
    using Warps = std::vector<Warp>;

    // Of all warps of a block. False: they have ended.
    bool turn(size_t rank) {
        Block &block = cluster_.blocks[rank];
        if (block.ended) return false;
        for (Warp &w : warps_[rank]) w.run();
        for (const Warp &w : warps_[rank])
            if (w.waiting()) try_release(warps_[rank], w.barrier(), block);
        block.ended = std::none_of(warps_[rank].begin(), warps_[rank].end(),
                                   [](const Warp &w) { return w.running() || w.waiting(); });
        if (block.ended) check_products(block, warps_[rank]);
        return !block.ended;
    }

    void try_release(Warps &warps, const BarrierWait &b, Block &block) {
        std::vector<Warp *> there;
        for (Warp &w : warps)
            if (w.waiting() && w.barrier().id == b.id) there.push_back(&w);
        bool others_may_come = std::any_of(warps.begin(), warps.end(), [&](const Warp &w) {
            return w.running() || (w.waiting() && w.barrier().id != b.id);
        });
        if (b.of_all && !others_may_come)
            for (const Warp &w : warps) w.check_barrier(b);
        if (32 * there.size() < b.threads) return;
        std::vector<int> threads;
        for (Warp *w : there) {
            if (!w->waits_whole() && others_may_come) return;
            w->check_barrier(b);
            for (unsigned lane = 0; lane < 32 && w->thread(lane) < block.threads; lane++)
                threads.push_back(w->thread(lane));
        }
        if (threads.size() > b.threads) throw Fault("more threads at a barrier than it is for");
        for (Warp *w : there) w->release();
        block.clocks.meet(threads);
        cluster_.progress++;
    }

    static void check_products(const Block &block, const Warps &warps) {
        for (const Warp &w : warps)
            if (w.products_asked != block.products[static_cast<size_t>(w.number()) / 4].asked.size())
                throw Fault("warp " + std::to_string(w.number()) + " misses a product of its warpgroup");
    }

    [[noreturn]] void report() const {
        for (const Warps &warps : warps_)
            for (const Warp &w : warps)
                if (w.waiting()) w.deadlock();
        for (const Warps &warps : warps_)
            for (const Warp &w : warps)
                if (w.running()) w.deadlock();
        throw Fault("a deadlock");
    }

    Cluster cluster_;
    std::vector<Warps> warps_; // by rank
};

} // namespace

void run(const Launch &launch, const GlobalMemory &global) {
    const unsigned *grid = launch.grid;
    if (grid[0] % launch.kernel->cluster) throw Fault("the grid is not of whole clusters");
    for (unsigned z = 0; z < grid[2]; z++)
        for (unsigned y = 0; y < grid[1]; y++)
            for (unsigned x = 0; x < grid[0]; x += launch.kernel->cluster)
                Turns(launch, {x, y, z}, global).run();
}

} // namespace ks::emulator
