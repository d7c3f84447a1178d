// SPDX-License-Identifier: Apache-2.0
// The registers of a warp. Products of matrices write theirs asynchronously: until they have been waited for,
// these may not be touched, and what else wrote them must be behind a fence.
#pragma once
#include "tests/emulator/arithmetic.h"
#include "tests/emulator/program.h"

namespace ks::emulator {

class Registers {
  public:
    explicit Registers(int count);
    const Lanes &read(int index) const {
        if (in_flight_) check(index);
        return values_[static_cast<size_t>(index)];
    }
    Lanes &write(int index) {
        if (in_flight_) check(index);
        written_[static_cast<size_t>(index)] = fences_;
        return values_[static_cast<size_t>(index)];
    }
    void fence() { fences_++; }
    // Throws Fault where a fence is missing. `group` is that of the product, from 1.
    void begin_product(const std::vector<Operand> &accumulators, uint32_t group);
    void end_products(uint32_t group); // and all before
    Lanes &accumulator(const Operand &o) { return values_[static_cast<size_t>(o.index)]; }

  private:
    void check(int index) const;
    static constexpr uint64_t never = ~uint64_t{0};
    std::vector<Lanes> values_;
    std::vector<uint64_t> written_; // behind how many fences
    std::vector<uint32_t> group_;   // of a product in flight that writes it; 0: none
    uint64_t fences_ = 0;
    bool in_flight_ = false;
};

} // namespace ks::emulator
