// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/mbarrier.h"
#include "tests/emulator/program.h"

namespace ks::emulator {

namespace {

constexpr int64_t most_bytes = (1 << 20) - 1; // that an mbarrier counts

} // namespace

void Mbarrier::arrive() {
    if (!pending) throw Fault("more threads arrive than the mbarrier is for");
    pending--;
    end_phase();
}

void Mbarrier::expect(int64_t count) {
    bytes += count;
    if (bytes > most_bytes) throw Fault("more bytes than an mbarrier counts");
}

void Mbarrier::begin(int64_t count) {
    begun += count;
    if (begun > bytes) throw Fault("a copy of more bytes than were announced");
}

void Mbarrier::complete(int64_t count) {
    begun -= count, bytes -= count;
    end_phase();
}

void Mbarrier::end_phase() {
    if (pending || bytes) return;
    over++;
    pending = expected;
    done = arriving; // with what earlier phases handed on, which stays in it
}

Mbarrier &Mbarriers::at(uint64_t address) {
    auto found = all_.find(address);
    if (found == all_.end()) throw Fault("no mbarrier is initialised at " + std::to_string(address));
    return found->second;
}

void Mbarriers::publish(int thread) {
    for (auto &[address, m] : all_) m.published = m.published || m.initialised_by == thread;
}

} // namespace ks::emulator
