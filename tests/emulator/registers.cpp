// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/registers.h"

namespace ks::emulator {

namespace {

constexpr uint64_t unset = 0xfff7dead7ff7dead; // NaN as f64, f32 and f16

} // namespace

Registers::Registers(int count)
    : values_(static_cast<size_t>(count)), written_(values_.size(), never), group_(values_.size()) {
    for (Lanes &r : values_) r.fill(unset);
}

void Registers::check(int index) const {
    if (group_[static_cast<size_t>(index)]) throw Fault("a register that a product in flight writes");
}

void Registers::begin_product(const std::vector<Operand> &accumulators, uint32_t group) {
    if (!fences_) throw Fault("no wgmma.fence stands before the first product");
    for (const Operand &o : accumulators) {
        auto i = static_cast<size_t>(o.index);
        if (!group_[i] && written_[i] == fences_)
            throw Fault("no wgmma.fence behind what wrote an accumulator");
        group_[i] = group;
    }
    in_flight_ = true;
}

void Registers::end_products(uint32_t group) {
    in_flight_ = false;
    for (uint32_t &g : group_) {
        if (g <= group) g = 0;
        in_flight_ = in_flight_ || g;
    }
}

} // namespace ks::emulator
