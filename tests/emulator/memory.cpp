// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/memory.h"
#include "tests/emulator/program.h"
#include <cstdlib>
#include <cstring>
#include <string>

namespace ks::emulator {

namespace {

constexpr size_t alignment = 256; // of cuMemAlloc

[[noreturn]] void fault(const std::string &what, uint64_t address, size_t bytes) {
    throw Fault(what + " at " + std::to_string(address) + ", " + std::to_string(bytes) + " bytes");
}

} // namespace

GlobalMemory::~GlobalMemory() {
    for (const auto &[address, bytes] : allocations_) std::free(reinterpret_cast<void *>(address));
}

uint64_t GlobalMemory::allocate(size_t bytes) {
    size_t whole = (bytes + alignment - 1) / alignment * alignment;
    void *memory = std::aligned_alloc(alignment, whole);
    if (!memory) return 0;
    std::memset(memory, 0xff, whole);
    auto address = reinterpret_cast<uint64_t>(memory);
    allocations_[address] = bytes;
    return address;
}

bool GlobalMemory::release(uint64_t address) {
    if (!allocations_.erase(address)) return false;
    std::free(reinterpret_cast<void *>(address));
    from_ = 1, to_ = 0;
    return true;
}

bool GlobalMemory::holds(uint64_t address, size_t bytes) const {
    if (address >= from_ && address + bytes <= to_) return true;
    auto after = allocations_.upper_bound(address);
    if (after == allocations_.begin()) return false;
    --after;
    from_ = after->first, to_ = from_ + after->second;
    return address + bytes <= to_;
}

void *GlobalMemory::at(uint64_t address, size_t bytes) const {
    if (address % bytes) fault("a misaligned access to global memory", address, bytes);
    if (!holds(address, bytes)) fault("an access outside of allocated global memory", address, bytes);
    return reinterpret_cast<void *>(address);
}

void SharedMemory::check(uint64_t address, size_t bytes, const char *what) const {
    if (address % bytes) fault(std::string("a misaligned ") + what + " shared memory", address, bytes);
    if (address >= bytes_.size() || bytes > bytes_.size() - address)
        fault(std::string("an out-of-bounds ") + what + " the block's " + std::to_string(bytes_.size()) +
                  " bytes of shared memory",
              address, bytes);
}

void SharedMemory::load(uint64_t address, void *to, size_t bytes, int thread) {
    check(address, bytes, "load from");
    for (size_t i = address; i < address + bytes; i++) {
        Access &a = last_[i];
        if (a.write_epoch == epoch_ && a.writer != thread)
            fault("a race: thread " + std::to_string(a.writer) + " wrote since the last barrier what is read",
                  i, 1);
        a.reader = a.read_epoch == epoch_ && a.reader != thread ? several : thread;
        a.read_epoch = epoch_;
    }
    std::memcpy(to, &bytes_[address], bytes);
}

void SharedMemory::claim(uint64_t address, size_t bytes, int thread) {
    check(address, bytes, "store to");
    for (size_t i = address; i < address + bytes; i++) {
        Access &a = last_[i];
        if (a.write_epoch == epoch_ && a.writer != thread)
            fault("a race: thread " + std::to_string(a.writer) +
                      " wrote since the last barrier what is written",
                  i, 1);
        if (a.read_epoch == epoch_ && a.reader != thread)
            fault("a race: another thread read since the last barrier what is written", i, 1);
        a.writer = thread, a.write_epoch = epoch_;
    }
}

void SharedMemory::store(uint64_t address, const void *from, size_t bytes, int thread) {
    claim(address, bytes, thread);
    std::memcpy(&bytes_[address], from, bytes);
}

} // namespace ks::emulator
