// SPDX-License-Identifier: Apache-2.0
// Where the Funcs of "time in lanes" are computed, and how shared memory is laid out.
#include "dsl/recurrence/time_in_lanes.h"

namespace ks {
using namespace Halide;

namespace {

constexpr int warp = 32, vector = 4;
// Threads read 16 bytes at a time, along their steps: rows so long fall into different banks.
int row_of(int steps) { return steps + vector; }

} // namespace

void TimeInLanes::schedule(const Func &y) {
    schedule_consumer(y);
    schedule_steps(y);
    schedule_sums(y);
    schedule_scan();
}

// A thread owns the steps of a time group of a channel, neighbours lie along channels, as memory does.
void TimeInLanes::schedule_consumer(Func y) {
    Var d = r_.channel, t = r_.time, block("block"), in_block("in_block"), in_tile("in_tile"), group("group"),
        step("step"), own("own"), both("both");
    y.split(d, block, in_block, plan_.block_channels(), TailStrategy::GuardWithIf)
        .split(in_block, in_block, own, plan_.own)
        .split(t, tile_, in_tile, plan_.tile_steps(), TailStrategy::GuardWithIf)
        .split(in_tile, group, step, plan_.steps);
    std::vector<VarOrRVar> order = {step, own, in_block, group, tile_};
    for (const Var &v : r_.outer) order.push_back(v);
    order.push_back(block);
    y.reorder(order).fuse(in_block, group, both).split(both, warp_, lane_, warp);
    order = {step, own, lane_, warp_, tile_};
    for (const Var &v : r_.outer) order.push_back(v);
    order.push_back(block);
    y.reorder(order).gpu_threads(lane_, warp_).unroll(step).unroll(own).gpu_blocks(block);
    for (const Var &v : r_.outer) y.gpu_blocks(v);

    Var part("part"), in_part("in_part");
    in_registers(read_copy_);
    read_copy_.compute_at(y, lane_)
        .split(ti_, part, in_part, vector)
        .vectorize(in_part)
        .unroll(part)
        .unroll(d_);
}

void TimeInLanes::schedule_steps(const Func &y) {
    if (!step_tile_.defined()) return;
    Var part("part"), in_part("in_part"), own("own"), both("both");
    step_tile_.compute_at(y, tile_)
        .store_in(MemoryType::GPUShared)
        .bound(ti_, 0, plan_.steps)
        .bound_extent(tg_, plan_.groups())
        .bound_extent(d_, plan_.block_channels())
        .align_storage(ti_, row_of(plan_.steps))
        .align_storage(tg_, plan_.groups() + 1)
        .split(d_, d_, own, plan_.own)
        .split(ti_, part, in_part, vector);
    std::vector<VarOrRVar> order = {in_part, part, own, d_, tg_};
    for (const Var &v : r_.outer) order.push_back(v);
    step_tile_.reorder(order).fuse(d_, tg_, both).split(both, warp_, lane_, warp);
    step_tile_.vectorize(in_part).unroll(part).unroll(own).gpu_threads(lane_, warp_);
    for (Func f : step_values_) {
        in_registers(f.compute_at(step_tile_, lane_));
        f.unroll(ti_).unroll(d_);
    }
}

// Of a group of states; neighbours lie along states, as memory does.
void TimeInLanes::schedule_weights() {
    Var part("part"), in_part("in_part"), both("both"), round("round"), some("some");
    int items = group_ / plan_.weights_vector * plan_.tile_steps();
    int rounds = (items + plan_.threads() - 1) / plan_.threads(), at_once = 8; // loads in flight
    while (rounds % at_once) at_once--;
    weight_tile_.store_in(MemoryType::GPUShared)
        .bound(ti_, 0, plan_.steps)
        .bound_extent(tg_, plan_.groups())
        .bound_extent(n_, group_)
        .align_storage(ti_, row_of(plan_.steps))
        .align_storage(tg_, plan_.groups() + 1)
        .split(n_, part, in_part, plan_.weights_vector);
    std::vector<VarOrRVar> order = {in_part, part, ti_, tg_};
    for (const Var &v : r_.outer) order.push_back(v);
    weight_tile_.reorder(order)
        .fuse(part, ti_, both)
        .fuse(both, tg_, both)
        .split(both, round, both, plan_.threads(), TailStrategy::GuardWithIf)
        .split(both, warp_, lane_, warp)
        .split(round, round, some, at_once);
    order = {in_part, some, round, lane_, warp_};
    for (const Var &v : r_.outer) order.push_back(v);
    weight_tile_.reorder(order).vectorize(in_part).unroll(some).gpu_threads(lane_, warp_);
}

// lane = channel + channels * time group, where a channel stands for all of a thread's own.
void TimeInLanes::schedule_sums(const Func &y) {
    sums_.compute_at(y, tile_)
        .store_in(MemoryType::GPUShared)
        .bound(ti_, 0, plan_.steps)
        .bound_extent(tg_, plan_.groups())
        .bound_extent(d_, plan_.block_channels())
        .align_storage(ti_, row_of(plan_.steps))
        .align_storage(tg_, plan_.groups() + 1);
    auto spread = [&](Stage s) {
        Var part("part"), in_part("in_part"), in_warp("in_warp"), own("own");
        s.split(d_, warp_, in_warp, plan_.warp_channels())
            .split(in_warp, in_warp, own, plan_.own)
            .fuse(in_warp, tg_, lane_)
            .split(ti_, part, in_part, vector);
        std::vector<VarOrRVar> order = {in_part, part, own, lane_, warp_};
        for (const Var &v : r_.outer) order.push_back(v);
        if (groups_.defined() && s.name() != Stage(sums_).name()) order.emplace_back(groups_);
        s.reorder(order).vectorize(in_part).unroll(part).unroll(own).gpu_threads(lane_, warp_);
    };
    spread(sums_);
    if (groups_.defined()) spread(sums_.update());
    if (!weight_tile_.defined()) return;
    schedule_weights();
    if (groups_.defined())
        weight_tile_.compute_at(sums_, groups_);
    else
        weight_tile_.compute_at(y, tile_);
}

void TimeInLanes::schedule_scan() {
    Var part("part"), in_part("in_part");
    RVar some("some"), n = states_loop_;
    auto by_vectors = [&](auto stage) {
        stage.split(ti_, part, in_part, vector).vectorize(in_part).unroll(part);
    };
    sum_.compute_at(sums_, lane_);
    in_registers(sum_);
    by_vectors(sum_.unroll(d_));
    sum_.update()
        .split(n, n, some, plan_.states)
        .split(ti_, part, in_part, vector)
        .reorder({in_part, part, d_, some, n})
        .vectorize(in_part)
        .unroll(part)
        .unroll(d_)
        .unroll(some);
    for (Func f : of_tile_) {
        in_registers(f.compute_at(sums_, lane_).unroll(d_));
        if (f.has_update_definition())
            f.update().unroll(along_).unroll(d_);
        else
            by_vectors(f);
    }
    by_step_.push_back(walked_);
    for (Func f : by_step_) {
        in_registers(f.compute_at(sum_, n));
        if (f.has_update_definition())
            f.update().unroll(along_).unroll(n_).unroll(d_);
        else
            by_vectors(f);
        f.unroll(n_).unroll(d_);
    }
    for (Func f : of_state_) {
        in_registers(f.compute_at(sum_, n));
        f.unroll(n_).unroll(d_);
        if (f.has_update_definition()) f.update().unroll(along_).unroll(n_).unroll(d_);
    }
}

// Of a thread's channels and its time group.
void TimeInLanes::in_registers(Func f) const {
    f.store_in(MemoryType::Stack);
    for (const Var &v : f.args()) {
        if (v.name() == ti_.name()) f.bound(v, 0, plan_.steps);
        if (v.name() == tg_.name() || v.name() == ng_.name()) f.bound_extent(v, 1);
        if (v.name() == d_.name()) f.bound_extent(v, plan_.own);
        if (v.name() == n_.name()) f.bound_extent(v, plan_.states);
    }
}

} // namespace ks
