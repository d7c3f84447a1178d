// SPDX-License-Identifier: Apache-2.0
// What happens before what in a block: vector clocks of its threads and of what works beside them, its agents
// (products and bulk stores of a warp, the copies that an mbarrier counts). Memory remembers by whom and when
// it was last accessed; whoever comes next must know of that.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace ks::emulator {

struct Stamp {
    uint16_t agent = 0;
    uint32_t clock = 0; // 0: before the launch
};

// Who accesses memory, and what is known to have been done before.
struct Actor {
    uint16_t agent;
    uint32_t clock;
    const uint32_t *seen = nullptr; // by agent; null: all until `clock`, and what it has done itself
    const uint32_t *visible =
        nullptr; // of what was written otherwise, to asynchronous accesses; null: is none

    Stamp stamp() const { return {agent, clock}; }
    bool asynchronous() const { return visible; }
    bool knows(Stamp s) const {
        return seen ? seen[s.agent] >= s.clock : s.agent == agent || s.clock < clock;
    }
};

// What a barrier hands on.
struct Knowledge {
    std::vector<uint32_t> seen, visible;
};

class Clocks {
  public:
    // Without `full` threads meet at barriers of all of them only.
    Clocks(int threads, bool full);

    Actor thread(int t) const;
    // What works asynchronously, told to by thread t, or by all lanes of the warp from `first` on.
    Actor asynchronous(int t, Stamp as) const { return {as.agent, as.clock, seen(t), visible(t)}; }
    Actor asynchronous(int first, int lanes, Stamp as);

    uint16_t products_of(int warp) const { return static_cast<uint16_t>(threads_ + warp); }
    uint16_t stores_of(int warp) const { return static_cast<uint16_t>(threads_ + warps_ + warp); }
    uint16_t add_mbarrier(uint64_t address); // throws Fault when there are too many

    void meet(const std::vector<int> &threads);
    void release(int t, Knowledge &to);
    void acquire(int t, const Knowledge &from);
    void learn(int t, Stamp done); // that what this agent did until then has ended
    void fence(int t);             // what it knows of becomes visible to asynchronous accesses
    std::string name(int agent) const;

  private:
    const uint32_t *seen(int t) const { return &seen_[static_cast<size_t>(t) * agents_]; }
    const uint32_t *visible(int t) const { return &visible_[static_cast<size_t>(t) * agents_]; }
    uint32_t *seen(int t) { return &seen_[static_cast<size_t>(t) * agents_]; }
    uint32_t *visible(int t) { return &visible_[static_cast<size_t>(t) * agents_]; }

    int threads_, warps_;
    bool full_;
    size_t agents_;
    uint32_t epoch_ = 1;
    std::vector<uint32_t> seen_, visible_; // of every thread
    Knowledge together_;
    std::vector<uint64_t> mbarriers_;
};

} // namespace ks::emulator
