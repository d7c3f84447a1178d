// SPDX-License-Identifier: Apache-2.0
// Memory that checks: the allocations of a device, and the shared memory of a block.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

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

  private:
    std::map<uint64_t, size_t> allocations_;
    mutable uint64_t from_ = 1, to_ = 0; // the allocation found last
};

// Throws Fault at an access that is misaligned or out of bounds, and at a race: two threads between the same
// two barriers, one of which writes. Starts full of ones.
class SharedMemory {
  public:
    explicit SharedMemory(size_t bytes) : bytes_(bytes, 0xff), last_(bytes) {}
    void load(uint64_t address, void *to, size_t bytes, int thread);
    void store(uint64_t address, const void *from, size_t bytes, int thread);
    // What a copy to come will write: races from now on.
    void claim(uint64_t address, size_t bytes, int thread);
    void barrier() { epoch_++; }

  private:
    struct Access { // the last one of each kind to a byte
        int write_epoch = 0, read_epoch = 0, writer = 0, reader = 0;
    };
    static constexpr int several = -1; // readers
    void check(uint64_t address, size_t bytes, const char *what) const;

    std::vector<uint8_t> bytes_;
    std::vector<Access> last_;
    int epoch_ = 1;
};

} // namespace ks::emulator
