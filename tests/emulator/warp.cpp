// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/warp.h"
#include <algorithm>
#include <limits>

namespace ks::emulator {

namespace {

constexpr uint64_t unset = 0xfff7dead7ff7dead; // NaN as f64, f32 and f16
constexpr uint64_t most_steps = 1u << 23;      // more are a loop without end

size_t first_of(uint32_t lanes) { return static_cast<size_t>(__builtin_ctz(lanes)); }

} // namespace

Warp::Warp(const Launch &launch, const unsigned block[3], int first, SharedMemory &shared,
           const GlobalMemory &global)
    : launch_(launch),
      code_(launch.kernel->code),
      first_(first),
      shared_(shared),
      global_(global),
      registers_(static_cast<size_t>(launch.kernel->registers)) {
    for (Lanes &r : registers_) r.fill(unset);
    const unsigned *n = launch.block;
    int threads = static_cast<int>(n[0] * n[1] * n[2]) - first;
    lanes_ = running_ = threads >= 32 ? ~0u : (1u << threads) - 1;
    for (unsigned lane = 0; lane < 32; lane++) {
        unsigned t = static_cast<unsigned>(first) + lane;
        const unsigned thread[3] = {t % n[0], t / n[0] % n[1], t / n[0] / n[1]};
        for (unsigned i = 0; i < 3; i++) {
            special_[tid + i][lane] = thread[i], special_[ntid + i][lane] = n[i];
            special_[ctaid + i][lane] = block[i], special_[nctaid + i][lane] = launch.grid[i];
        }
        special_[laneid][lane] = lane;
    }
}

Source Warp::source(const Operand &o) const {
    if (o.kind == Operand::reg) return {registers_[static_cast<size_t>(o.index)].data(), 1};
    if (o.kind == Operand::special) return {special_[static_cast<size_t>(o.index)].data(), 1};
    return {&o.value, 0};
}

int Warp::barrier() const { return places_[first_of(waiting_)]; }

void Warp::check_barrier(int place) const {
    for_lanes(lanes_, [&](unsigned lane) {
        if (waiting_ >> lane & 1 && places_[lane] == place) return;
        fault(code_[static_cast<size_t>(place)],
              "thread " + std::to_string(thread(lane)) + " misses a barrier at which others wait");
    });
}

void Warp::release() {
    for_lanes(waiting_, [&](unsigned lane) { places_[lane]++; });
    running_ = waiting_, waiting_ = 0;
}

void Warp::run() {
    while (running_) meet(), advance();
}

// Takes the lanes that are at the smallest place.
void Warp::meet() {
    at_ = join_ = std::numeric_limits<int>::max();
    active_ = 0;
    for_lanes(running_ & ~gathered_, [&](unsigned lane) {
        int p = places_[lane];
        if (p < at_)
            join_ = at_, at_ = p, active_ = 0;
        else if (p > at_)
            join_ = std::min(join_, p);
        if (p == at_) active_ |= 1u << lane;
    });
    if (active_) return;
    // All that run have come to a collective: it must be the same, and no other lane may wait elsewhere.
    // Those that have ended are not waited for.
    int place = places_[first_of(gathered_)];
    for_lanes(running_ | waiting_, [&](unsigned lane) {
        if (!(gathered_ >> lane & 1) || places_[lane] != place)
            fault(code_[static_cast<size_t>(place)],
                  "thread " + std::to_string(thread(lane)) + " misses what its warp does together");
    });
    at_ = place, active_ = gathered_, gathered_ = 0;
}

void Warp::place(uint32_t lanes, int at) {
    for_lanes(lanes, [&](unsigned lane) { places_[lane] = at; });
}

uint32_t Warp::guarded(const Instruction &i) const {
    if (i.guard < 0) return active_;
    const Lanes &predicate = registers_[static_cast<size_t>(i.guard)];
    uint32_t lanes = 0;
    for_lanes(active_,
              [&](unsigned lane) { lanes |= uint32_t{(predicate[lane] != 0) != i.guard_negated} << lane; });
    return lanes;
}

// One instruction of the active lanes, or as many as there are up to the next that changes who is active.
void Warp::advance() {
    for (;;) {
        if (static_cast<size_t>(at_) >= code_.size())
            throw Fault(launch_.kernel->name + " runs past its end");
        const Instruction &i = code_[static_cast<size_t>(at_)];
        if (++steps_ > most_steps) fault(i, "a loop without end");
        uint32_t lanes = guarded(i);
        if (i.flow != Instruction::next && flow(i, lanes)) break;
        try {
            if (lanes && i.step) i.step(*this, i, lanes);
        } catch (const Fault &e) {
            fault(i, e.what());
        }
        if (++at_ != join_) continue;
        place(active_, at_);
        break;
    }
}

// What moves lanes from here or stops them. False: they go on, together.
bool Warp::flow(const Instruction &i, uint32_t lanes) {
    if (i.flow == Instruction::collective) {
        if (active_ == (running_ | waiting_) && lanes == active_) return false;
        place(active_, at_ + 1); // the others are not called
        place(lanes, at_);
        gathered_ |= lanes;
        return true;
    }
    place(active_, at_ + 1);
    if (i.flow == Instruction::branch)
        place(lanes, i.target);
    else
        running_ &= ~lanes;
    if (i.flow == Instruction::barrier) place(lanes, at_), waiting_ |= lanes;
    return true;
}

void Warp::fault(const Instruction &i, const std::string &what) const {
    const Lanes *block = &special_[ctaid];
    std::string at;
    for (unsigned c = 0; c < 3; c++) at += (c ? "," : "") + std::to_string(block[c][0]);
    throw Fault(launch_.kernel->name + ", line " + std::to_string(i.line) + ", " + i.text + ": block " + at +
                ", warp " + std::to_string(first_ / 32) + ": " + what);
}

} // namespace ks::emulator
