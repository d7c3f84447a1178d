// SPDX-License-Identifier: Apache-2.0
#include "tests/emulator/warp.h"
#include <algorithm>
#include <limits>

namespace ks::emulator {

namespace {

constexpr uint64_t most_steps = 1u << 23; // more are a loop without end

// A fault that names its place already.
struct Placed : Fault {
    using Fault::Fault;
};

size_t first_of(uint32_t lanes) { return static_cast<size_t>(__builtin_ctz(lanes)); }

} // namespace

Warp::Warp(const Launch &launch, const unsigned at[3], int first, Cluster &cluster, unsigned rank,
           const GlobalMemory &global)
    : launch_(launch),
      code_(launch.kernel->code),
      first_(first),
      cluster_(cluster),
      block_(cluster.blocks[rank]),
      global_(global),
      registers_(launch.kernel->registers) {
    const unsigned *n = launch.block;
    int threads = static_cast<int>(n[0] * n[1] * n[2]) - first;
    lanes_ = running_ = threads >= 32 ? ~0u : (1u << threads) - 1;
    for (unsigned lane = 0; lane < 32; lane++) {
        unsigned t = static_cast<unsigned>(first) + lane;
        const unsigned thread[3] = {t % n[0], t / n[0] % n[1], t / n[0] / n[1]};
        for (unsigned i = 0; i < 3; i++) {
            special_[tid + i][lane] = thread[i], special_[ntid + i][lane] = n[i];
            special_[ctaid + i][lane] = at[i], special_[nctaid + i][lane] = launch.grid[i];
        }
        special_[laneid][lane] = lane, special_[cluster_ctarank][lane] = rank;
    }
}

Source Warp::source(const Operand &o) const {
    if (o.kind == Operand::reg) return {registers_.read(o.index).data(), 1};
    if (o.kind == Operand::special) return {special_[static_cast<size_t>(o.index)].data(), 1};
    return {&o.value, 0};
}

void Warp::check_barrier(const BarrierWait &b) const {
    for_lanes(lanes_, [&](unsigned lane) {
        if (waiting_ >> lane & 1 && places_[lane] == b.place && barrier_.id == b.id) return;
        fault(code_[static_cast<size_t>(b.place)],
              "thread " + std::to_string(thread(lane)) + " misses a barrier at which others wait");
    });
}

void Warp::release() {
    for_lanes(waiting_, [&](unsigned lane) { places_[lane]++; });
    running_ |= waiting_, waiting_ = 0;
}

void Warp::deadlock() const {
    const size_t lane = waiting_ ? first_of(waiting_) : stalled_lane_;
    const int place = waiting_ ? barrier_.place : stalled_at_;
    fault(code_[static_cast<size_t>(place)],
          "thread " + std::to_string(thread(static_cast<unsigned>(lane))) + " waits for what nobody will do");
}

void Warp::run() {
    stall_ = Stall::none;
    while (running_ && stall_ == Stall::none) meet(), advance();
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
    const Lanes &predicate = registers_.read(i.guard);
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
        try {
            uint32_t lanes = guarded(i);
            if (i.flow != Instruction::next && flow(i, lanes)) break;
            if (lanes && i.step) i.step(*this, i, lanes);
        } catch (const Placed &) {
            throw;
        } catch (const Fault &e) {
            fault(i, e.what());
        }
        if (stall_ != Stall::none) stalled_at_ = at_, stalled_lane_ = first_of(active_);
        if (stall_ != Stall::again) at_++;
        if (stall_ == Stall::none && at_ != join_) continue;
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
    if (i.flow == Instruction::branch) place(lanes, i.target);
    if (i.flow == Instruction::leave) leave(lanes);
    if (i.flow == Instruction::barrier) wait_at(i, lanes);
    return true;
}

// bar.sync id, threads
void Warp::wait_at(const Instruction &i, uint32_t lanes) {
    BarrierWait b{at_, 0, 0, i.operands.size() == 1};
    for_lanes(lanes, [&](unsigned lane) {
        b.id = value(i.operands[0], lane);
        b.threads = b.of_all ? static_cast<uint64_t>(block().threads) : value(i.operands[1], lane);
        if (waiting_ && (barrier_.id != b.id || barrier_.threads != b.threads))
            throw Fault("threads of a warp wait at different barriers");
        barrier_ = b, waiting_ |= 1u << lane;
    });
    constexpr uint64_t barriers = 16;
    if (lanes && !b.of_all && (b.id >= barriers || !b.threads || b.threads % 32))
        throw Fault("no barrier of a block");
    place(lanes, at_);
    running_ &= ~lanes;
}

void Warp::leave(uint32_t lanes) {
    running_ &= ~lanes;
    if (!lanes) return;
    cluster_.progress++;
    if (!products.all_done()) throw Fault("a thread ends while a product is in flight");
    if (storing_lane >= 0 && lanes >> storing_lane & 1 && !stores.all_done())
        throw Fault("a thread ends while a bulk store of it reads shared memory");
}

void Warp::fault(const Instruction &i, const std::string &what) const {
    const Lanes *block = &special_[ctaid];
    std::string at;
    for (unsigned c = 0; c < 3; c++) at += (c ? "," : "") + std::to_string(block[c][0]);
    throw Placed(launch_.kernel->name + ", line " + std::to_string(i.line) + ", " + i.text + ": block " + at +
                 ", warp " + std::to_string(first_ / 32) + ": " + what);
}

} // namespace ks::emulator
