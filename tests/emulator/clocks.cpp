// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/clocks.h"
#include "tests/emulator/program.h"
#include <algorithm>

namespace ks::emulator {

namespace {

constexpr size_t most_mbarriers = 128;

void join(uint32_t *to, const uint32_t *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = std::max(to[i], from[i]);
}
void join(std::vector<uint32_t> &to, const uint32_t *from, size_t count) {
    to.resize(count);
    join(to.data(), from, count);
}

} // namespace

Clocks::Clocks(int threads, bool full)
    : threads_(threads),
      warps_((threads + 31) / 32),
      full_(full),
      agents_(static_cast<size_t>(threads + 2 * warps_) + most_mbarriers) {
    if (!full_) return;
    seen_.resize(static_cast<size_t>(threads) * agents_);
    visible_.resize(seen_.size());
    for (int t = 0; t < threads; t++) seen(t)[t] = 1;
}

Actor Clocks::thread(int t) const {
    auto agent = static_cast<uint16_t>(t);
    return full_ ? Actor{agent, seen(t)[t], seen(t)} : Actor{agent, epoch_};
}

// They know what each of them knows.
Actor Clocks::asynchronous(int first, int lanes, Stamp as) {
    together_.seen.assign(seen(first), seen(first) + agents_);
    together_.visible.assign(visible(first), visible(first) + agents_);
    for (int t = first + 1; t < first + lanes; t++)
        for (size_t i = 0; i < agents_; i++) {
            together_.seen[i] = std::min(together_.seen[i], seen(t)[i]);
            together_.visible[i] = std::min(together_.visible[i], visible(t)[i]);
        }
    return {as.agent, as.clock, together_.seen.data(), together_.visible.data()};
}

uint16_t Clocks::add_mbarrier(uint64_t address) {
    if (mbarriers_.size() == most_mbarriers) throw Fault("more mbarriers than the emulator has room for");
    mbarriers_.push_back(address);
    return static_cast<uint16_t>(threads_ + 2 * warps_ + static_cast<int>(mbarriers_.size()) - 1);
}

void Clocks::meet(const std::vector<int> &threads) {
    epoch_++;
    if (!full_) return;
    Knowledge all;
    for (int t : threads) release(t, all);
    for (int t : threads) acquire(t, all);
}

void Clocks::release(int t, Knowledge &to) {
    join(to.seen, seen(t), agents_);
    join(to.visible, visible(t), agents_);
    seen(t)[t]++;
}

void Clocks::acquire(int t, const Knowledge &from) {
    if (from.seen.empty()) return;
    join(seen(t), from.seen.data(), agents_);
    join(visible(t), from.visible.data(), agents_);
}

void Clocks::learn(int t, Stamp done) { seen(t)[done.agent] = std::max(seen(t)[done.agent], done.clock); }

void Clocks::fence(int t) {
    if (!full_) return;
    std::copy_n(seen(t), agents_, visible(t));
    seen(t)[t]++;
}

std::string Clocks::name(int agent) const {
    if (agent < threads_) return "thread " + std::to_string(agent);
    const int warp = agent - threads_;
    if (warp < warps_) return "a product of warp " + std::to_string(warp);
    if (warp < 2 * warps_) return "a bulk store of warp " + std::to_string(warp - warps_);
    return "a copy of the mbarrier at " +
           std::to_string(mbarriers_[static_cast<size_t>(agent - threads_ - 2 * warps_)]);
}

} // namespace ks::emulator
