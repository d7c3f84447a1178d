// SPDX-License-Identifier: Apache-2.0
// Memory that checks: the allocations of a device, and the shared memory of a block.
#pragma once
#include "tests/emulator/clocks.h"
#include <cstddef>
#include <map>

namespace ks::emulator {

// Device memory is memory of this process, at its own addresses.
class GlobalMemory {
  public:
    GlobalMemory() = default;
    GlobalMemory(const GlobalMemory &) = delete;
    GlobalMemory &operator=(const GlobalMemory &) = delete;
    ~GlobalMemory();

    uint64_t allocate(size_t bytes); // filled with ones: NaN, whatever its type
    bool release(uint64_t address);
    // Throws Fault unless it is aligned to `bytes` and all of it in one live allocation.
    void *at(uint64_t address, size_t bytes) const;
    bool holds(uint64_t address, size_t bytes) const;
    void *span(uint64_t address, size_t bytes) const; // of any alignment; throws Fault unless it holds them

  private:
    std::map<uint64_t, size_t> allocations_;
    mutable uint64_t from_ = 1, to_ = 0; // the allocation found last
};

// Throws Fault at an access that is misaligned or out of bounds, and at a race: one of two accesses writes,
// and nothing orders them. Starts full of ones.
class SharedMemory {
  public:
    SharedMemory(size_t bytes, const Clocks &clocks) : clocks_(clocks), bytes_(bytes, 0xff), last_(bytes) {}
    void load(uint64_t address, void *to, size_t bytes, const Actor &by);
    void store(uint64_t address, const void *from, size_t bytes, const Actor &by);
    // What a copy to come will write: races from now on, and nobody may read it before it lands.
    void claim(uint64_t address, size_t bytes, const Actor &by);
    void land(uint64_t address, const void *from, size_t bytes, const Actor &by);
    // For an mbarrier: no more memory to read and write. use() is an access to it.
    void take(uint64_t address, size_t bytes, const Actor &by);
    void use(uint64_t address, const Actor &by) const;

  private:
    enum State : uint8_t { plain, claimed, taken };
    struct Access { // the last one of each kind to a byte
        uint32_t write_clock = 0, read_clock = 0;
        uint16_t writer = 0, reader = 0;
        State state = plain;
        bool asynchronous = false; // written so
    };
    static constexpr uint16_t several = 0xffff; // readers: all are in readers_
    void check(uint64_t address, size_t bytes, const char *what) const;
    static bool is_simple(const Access &a, const Actor &by) { // and right; most are
        return a.state == plain && !by.visible && by.knows({a.writer, a.write_clock});
    }
    void check_written(size_t at, const Actor &by, const char *now) const;
    void read(size_t at, const Actor &by);
    void note_reader(size_t at, Stamp by); // beside others
    void write(size_t at, const Actor &by, State state);
    [[noreturn]] void race(const std::string &who, size_t at) const;

    const Clocks &clocks_;
    std::vector<uint8_t> bytes_;
    std::vector<Access> last_;
    std::map<size_t, std::vector<Stamp>> readers_;
};

} // namespace ks::emulator
