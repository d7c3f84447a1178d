// SPDX-License-Identifier: Apache-2.0
// A warp of a block. Every lane has its own place in the code; those at the smallest run together, so that
// lanes which went different ways meet again as early as they can.
#pragma once
#include "tests/emulator/arithmetic.h"
#include "tests/emulator/memory.h"
#include "tests/emulator/program.h"
#include <vector>

namespace ks::emulator {

struct Launch {
    const Kernel *kernel;
    unsigned grid[3], block[3];
    size_t shared_bytes;             // beside declared variables
    std::vector<uint8_t> parameters; // at their offsets
};

class Warp {
  public:
    // Threads from `first` on, in the order of x, y, z.
    Warp(const Launch &launch, const unsigned block[3], int first, SharedMemory &shared,
         const GlobalMemory &global);

    void run(); // until all lanes have ended or wait at a barrier
    uint32_t waiting() const { return waiting_; }
    int barrier() const;                 // the place of one that waits
    void check_barrier(int place) const; // throws Fault unless all lanes wait there
    void release();                      // from it

    // For steps.
    Source source(const Operand &o) const;
    uint64_t value(const Operand &o, unsigned lane) const { return source(o)[lane]; }
    const Lanes &at(int index) const { return registers_[static_cast<size_t>(index)]; }
    Lanes &to(const Operand &o) { return registers_[static_cast<size_t>(o.index)]; }
    int thread(unsigned lane) const { return first_ + static_cast<int>(lane); }
    SharedMemory &shared() { return shared_; }
    const GlobalMemory &global() const { return global_; }
    const std::vector<uint8_t> &parameters() const { return launch_.parameters; }

    // Copies that land when their thread waits for them.
    struct Copy {
        uint64_t to, from;
        size_t bytes;
    };
    std::vector<Copy> &copies(unsigned lane) { return copies_[lane]; }

  private:
    void advance();
    void meet();
    uint32_t guarded(const Instruction &i) const;
    void place(uint32_t lanes, int at);
    bool flow(const Instruction &i, uint32_t lanes);
    [[noreturn]] void fault(const Instruction &i, const std::string &what) const;

    const Launch &launch_;
    const std::vector<Instruction> &code_;
    int first_, at_ = 0, join_ = 0; // join: the next place of other running lanes
    SharedMemory &shared_;
    const GlobalMemory &global_;
    std::vector<Lanes> registers_;
    std::array<Lanes, specials> special_;
    std::array<int, 32> places_{};
    uint32_t lanes_, running_, active_ = 0, waiting_ = 0,
                               gathered_ = 0; // gathered: at a collective, for others
    std::array<std::vector<Copy>, 32> copies_;
    uint64_t steps_ = 0;
};

} // namespace ks::emulator
