// SPDX-License-Identifier: Apache-2.0
// A warp of a block. Every lane has its own place in the code; those at the smallest run together, so that
// lanes which went different ways meet again as early as they can.
#pragma once
#include "tests/emulator/cluster.h"
#include "tests/emulator/registers.h"
#include <algorithm>

namespace ks::emulator {

struct Launch {
    const Kernel *kernel;
    unsigned grid[3], block[3];
    size_t shared_bytes;             // beside declared variables
    std::vector<uint8_t> parameters; // at their offsets
};

// Asynchronous work in groups that end in their order.
struct Groups {
    uint32_t committed = 0, done = 0;
    bool open = false; // there is work behind the last commit

    void add() { open = true; }
    void commit() { committed++, open = false; }
    void wait(uint64_t but) { // until all but so many have ended
        done = std::max(done, committed - std::min(committed, static_cast<uint32_t>(but)));
    }
    bool all_done() const { return !open && done == committed; }
};

// A barrier of some of a block's threads, and where a warp waits at it.
struct BarrierWait {
    int place = 0;
    uint64_t id = 0, threads = 0;
    bool of_all = true;
};

class Warp {
  public:
    // Threads from `first` on, in the order of x, y, z.
    Warp(const Launch &launch, const unsigned at[3], int first, Cluster &cluster, unsigned rank,
         const GlobalMemory &global);

    // Until all lanes have ended or wait at a barrier, or some have asked in vain for what others do.
    void run();
    bool running() const { return running_; }
    bool waiting() const { return waiting_; }
    const BarrierWait &barrier() const { return barrier_; } // of one lane that waits
    bool waits_whole() const { return waiting_ == lanes_; }
    void check_barrier(const BarrierWait &b) const; // throws Fault unless all lanes wait there
    void release();                                 // from it
    [[noreturn]] void deadlock() const;

    // For steps.
    Source source(const Operand &o) const;
    uint64_t value(const Operand &o, unsigned lane) const { return source(o)[lane]; }
    uint64_t address(const Operand &o, unsigned lane) const {
        return o.value + (o.index < 0 ? 0 : registers_.read(o.index)[lane]);
    }
    Lanes &to(const Operand &o) { return registers_.write(o.index); }
    int thread(unsigned lane) const { return first_ + static_cast<int>(lane); }
    int number() const { return first_ / 32; } // in its block
    bool all(uint32_t lanes) const { return lanes == lanes_; }
    Actor actor(unsigned lane) const { return block().clocks.thread(thread(lane)); }
    Block &block() const { return block_; }
    Cluster &cluster() const { return cluster_; }
    SharedMemory &shared() const { return block().shared; }
    const GlobalMemory &global() const { return global_; }
    const std::vector<uint8_t> &parameters() const { return launch_.parameters; }
    // The active lanes stop after this instruction, or before it, until others have gone on.
    void stall(bool again) { stall_ = again ? Stall::again : Stall::ahead; }

    // Copies of a lane that land when it waits for their group.
    struct Copy {
        uint64_t to, from;
        size_t bytes, zeros; // zeros: behind what is copied
        uint32_t group;
    };
    struct Copies : Groups {
        std::vector<Copy> list;
    };
    Copies &copies(unsigned lane) { return copies_[lane]; }

    Registers &registers() { return registers_; }
    Groups products, stores; // stores: bulk copies to global memory, which one lane begins
    int storing_lane = -1;
    size_t products_asked = 0;
    std::array<uint32_t, 32> cluster_arrivals{}, cluster_waits{};

  private:
    enum class Stall { none, ahead, again };
    void advance();
    void meet();
    uint32_t guarded(const Instruction &i) const;
    void place(uint32_t lanes, int at);
    bool flow(const Instruction &i, uint32_t lanes);
    void wait_at(const Instruction &i, uint32_t lanes);
    void leave(uint32_t lanes);
    [[noreturn]] void fault(const Instruction &i, const std::string &what) const;

    const Launch &launch_;
    const std::vector<Instruction> &code_;
    int first_, at_ = 0, join_ = 0; // join: the next place of other running lanes
    Cluster &cluster_;
    Block &block_;
    const GlobalMemory &global_;
    Registers registers_;
    std::array<Lanes, specials> special_;
    std::array<int, 32> places_{};
    uint32_t lanes_, running_, active_ = 0, waiting_ = 0,
                               gathered_ = 0; // gathered: at a collective, for others
    BarrierWait barrier_;
    Stall stall_ = Stall::none;
    int stalled_at_ = 0;
    size_t stalled_lane_ = 0;
    std::array<Copies, 32> copies_;
    uint64_t steps_ = 0;
};

} // namespace ks::emulator
