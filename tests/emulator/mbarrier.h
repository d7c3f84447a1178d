// SPDX-License-Identifier: Apache-2.0
// Barriers in shared memory (PTX ISA, mbarrier): a phase is over when as many threads have arrived as were
// named and all bytes that were announced have been copied.
#pragma once
#include "tests/emulator/clocks.h"
#include <map>

namespace ks::emulator {

struct Mbarrier {
    uint16_t agent = 0; // of the copies that it counts; their clock: the phases that are over then
    uint32_t expected = 0, pending = 0, over = 0;
    int64_t bytes = 0, begun = 0; // announced, less copied; of copies under way
    int initialised_by = 0;       // thread
    bool published = false;       // to asynchronous copies and to other blocks, by a fence
    Knowledge arriving, done;

    Stamp copy() const { return {agent, over + 1}; }
    void arrive();
    void expect(int64_t count);
    // A copy, of bytes that have been announced: else the phase could be over before it is.
    void begin(int64_t count);
    void complete(int64_t count);

  private:
    void end_phase();
};

class Mbarriers {
  public:
    void add(uint64_t address, const Mbarrier &m) { all_[address] = m; }
    Mbarrier &at(uint64_t address); // throws Fault when there is none
    void publish(int thread);       // those that it has initialised

  private:
    std::map<uint64_t, Mbarrier> all_;
};

} // namespace ks::emulator
