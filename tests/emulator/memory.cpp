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
    return span(address, bytes);
}

void *GlobalMemory::span(uint64_t address, size_t bytes) const {
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

void SharedMemory::race(const std::string &who, size_t at) const { fault("a race: " + who, at, 1); }

// What was written before must be known of, and to asynchronous accesses it must have been made visible.
void SharedMemory::check_written(size_t at, const Actor &by, const char *now) const {
    const Access &a = last_[at];
    const Stamp written{a.writer, a.write_clock};
    if (a.state == taken) fault(std::string("an mbarrier is ") + now, at, 1);
    if (a.state == claimed) fault(std::string("a copy is under way to what is ") + now, at, 1);
    if (!by.knows(written)) race(clocks_.name(a.writer) + " wrote since the last barrier what is " + now, at);
    if (by.asynchronous() && !a.asynchronous && by.visible[a.writer] < a.write_clock)
        race("no fence.proxy.async behind what " + clocks_.name(a.writer) +
                 " wrote, which asynchronously is " + now,
             at);
}

void SharedMemory::read(size_t at, const Actor &by) {
    Access &a = last_[at];
    if (!is_simple(a, by)) check_written(at, by, "read");
    const Stamp before{a.reader, a.read_clock};
    const bool last = a.reader == by.agent || (a.reader != several && by.knows(before));
    if (a.reader == several && !by.seen && a.read_clock == by.clock) return;
    if (!last && by.seen) note_reader(at, by.stamp());
    a.reader = last || (a.reader == several && !by.seen) ? by.agent : several;
    a.read_clock = by.clock;
}

void SharedMemory::note_reader(size_t at, Stamp by) {
    const Access &a = last_[at];
    std::vector<Stamp> &all = readers_[at];
    if (a.reader != several) all = {{a.reader, a.read_clock}};
    for (Stamp &s : all)
        if (s.agent == by.agent) return void(s = by);
    all.push_back(by);
}

void SharedMemory::write(size_t at, const Actor &by, State state) {
    Access &a = last_[at];
    if (!is_simple(a, by)) check_written(at, by, "written");
    bool known = a.reader == several ? a.read_clock < by.clock : by.knows({a.reader, a.read_clock});
    if (a.reader == several && by.seen) {
        known = true;
        for (const Stamp &s : readers_[at]) known = known && by.knows(s);
        readers_.erase(at);
    }
    if (!known)
        race((a.reader < several && by.seen ? clocks_.name(a.reader) : "another thread") +
                 " read since the last barrier what is written",
             at);
    a = {by.clock, 0, by.agent, 0, state, by.asynchronous()};
}

void SharedMemory::load(uint64_t address, void *to, size_t bytes, const Actor &by) {
    check(address, bytes, "load from");
    for (size_t i = address; i < address + bytes; i++) read(i, by);
    std::memcpy(to, &bytes_[address], bytes);
}

void SharedMemory::store(uint64_t address, const void *from, size_t bytes, const Actor &by) {
    check(address, bytes, "store to");
    for (size_t i = address; i < address + bytes; i++) write(i, by, plain);
    std::memcpy(&bytes_[address], from, bytes);
}

void SharedMemory::claim(uint64_t address, size_t bytes, const Actor &by) {
    check(address, bytes, "store to");
    for (size_t i = address; i < address + bytes; i++) write(i, by, claimed);
}

void SharedMemory::land(uint64_t address, const void *from, size_t bytes, const Actor &by) {
    for (size_t i = address; i < address + bytes; i++) last_[i] = {by.clock, 0, by.agent, 0, plain, false};
    std::memcpy(&bytes_[address], from, bytes);
}

void SharedMemory::take(uint64_t address, size_t bytes, const Actor &by) {
    check(address, bytes, "store to");
    for (size_t i = address; i < address + bytes; i++) write(i, by, taken);
}

void SharedMemory::use(uint64_t address, const Actor &by) const {
    const Access &a = last_[address];
    if (!by.knows({a.writer, a.write_clock}))
        race(clocks_.name(a.writer) + " initialised since the last barrier what is used", address);
}

} // namespace ks::emulator
