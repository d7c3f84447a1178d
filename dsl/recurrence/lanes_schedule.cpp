// SPDX-License-Identifier: Apache-2.0
// Where the Funcs of "states over lanes" are computed: which thread owns what, and how shared memory is laid
// out. Strides are chosen so that the lanes of an access fall into different banks.
#include "dsl/recurrence/states_over_lanes.h"
#include <algorithm>

namespace ks {
using namespace Halide;

namespace {

const MemoryType in_registers = MemoryType::Stack, in_shared = MemoryType::GPUShared;

} // namespace

// Block: channels and a sequence. Threads: pairs of channels, then parts of the tile's time.
void StatesOverLanes::schedule_consumer() {
    Var d = r_.channel, t = r_.time, block("block"), in_block("in_block"), pair("pair"), half("half"),
        in_tile("in_tile"), part("part"), step("step"), both("both");
    y_.split(d, block, in_block, plan_.channels(), TailStrategy::RoundUp)
        .split(in_block, pair, half, 2)
        .split(t, tile_, in_tile, plan_.tile_steps(), TailStrategy::GuardWithIf)
        .split(in_tile, part, step, plan_.thread_steps());
    std::vector<VarOrRVar> order = {half, step, pair, part, tile_};
    for (const Var &v : r_.outer) order.push_back(v);
    order.push_back(block);
    y_.reorder(order).fuse(pair, part, both).split(both, warp_, lane_, 32);
    order = {half, step, lane_, warp_, tile_};
    for (const Var &v : r_.outer) order.push_back(v);
    order.push_back(block);
    y_.reorder(order).gpu_threads(lane_, warp_).unroll(half).unroll(step).gpu_blocks(block);
    for (const Var &v : r_.outer) y_.gpu_blocks(v);

    int T = plan_.thread_steps();
    for (auto &[i, f] : words_of_consumer_) {
        f.compute_at(y_, lane_);
        schedule_register_words(f);
    }
    summed_.compute_at(y_, lane_)
        .store_in(in_registers)
        .bound(v_, 0, plan_.lanes == 4 ? 2 : 4)
        .bound(ti_, 0, T)
        .bound_extent(tc_, 1)
        .bound_extent(p_, 1)
        .vectorize(v_)
        .unroll(ti_);
    for (const auto &h : held_by_consumer_)
        Func(h.func)
            .compute_at(y_, lane_)
            .store_in(in_registers)
            .bound(c_, 0, 2)
            .bound_extent(p_, 1)
            .unroll(c_);
}

void StatesOverLanes::schedule_register_words(Func words) const {
    words.store_in(in_registers)
        .bound(ti_, 0, plan_.thread_steps())
        .bound_extent(tc_, 1)
        .bound_extent(p_, 1)
        .unroll(ti_);
    if (step_words_.elements() == 1) words.bound(c_, 0, 2).vectorize(c_);
}

// Words are copied by fours, a lane each.
int StatesOverLanes::copying_warps(int words) const {
    int rounds = words / 4 / 32, warps = std::min(plan_.warps, std::max(1, rounds));
    while (rounds % warps) warps--;
    return warps;
}

void StatesOverLanes::schedule_steps() {
    int T = plan_.thread_steps(), P = plan_.channels() / 2, vector = std::min(T, 4);
    Var part("part"), in_vector("in_vector"), both("both");
    steps_.compute_at(y_, tile_)
        .store_in(in_shared)
        .bound(ti_, 0, T)
        .bound(c_, 0, 2)
        .bound_extent(tc_, plan_.tile_steps() / T)
        .bound_extent(p_, P)
        .split(ti_, part, in_vector, vector);
    std::vector<VarOrRVar> order = {in_vector, part, c_, p_, tc_};
    for (const Var &v : r_.outer) order.push_back(v);
    steps_.reorder(order)
        .fuse(p_, tc_, both)
        .split(both, warp_, lane_, 32)
        .vectorize(in_vector)
        .unroll(part)
        .unroll(c_)
        .gpu_threads(lane_, warp_);
    if (plan_.lanes == 4)
        steps_.reorder_storage(over({ti_, tc_, p_, c_}));
    else
        steps_.reorder_storage(over({ti_, tc_, c_, p_}));
    steps_.align_storage(tc_, plan_.tile_steps() / T + (T == 4 ? 1 : 2)); // bank stride 4
    for (auto &[i, f] : words_of_steps_) {
        f.compute_at(steps_, lane_);
        schedule_register_words(f);
        if (step_words_.elements() == 1) f.reorder_storage(over({ti_, c_, tc_, p_})); // read along time
    }
    for (const auto &h : held_by_steps_)
        Func(h.func)
            .compute_at(steps_, lane_)
            .store_in(in_registers)
            .bound(c_, 0, 2)
            .bound_extent(p_, 1)
            .unroll(c_);

    // The copies: 16 bytes a thread, all operands of it one after the other.
    Var quad("quad"), round("round"), word = step_words_.word, which = step_words_.which;
    int words = plan_.channels() / step_words_.elements();
    Func tile = step_words_.tile;
    tile.compute_at(y_, tile_)
        .store_in(in_shared)
        .bound(which, 0, step_words_.operands())
        .bound_extent(word, words)
        .bound_extent(r_.time, plan_.tile_steps())
        .split(word, quad, in_vector, 4)
        .fuse(quad, r_.time, both)
        .split(both, round, lane_, 32)
        .split(round, part, warp_, copying_warps(words * plan_.tile_steps()));
    order = {in_vector, which, part, lane_, warp_};
    for (const Var &v : r_.outer) order.push_back(v);
    tile.reorder(order).vectorize(in_vector).unroll(which).unroll(part).gpu_threads(lane_, warp_);
}

// Of 16 bits to f32. Steps of the tile are threads.
void StatesOverLanes::schedule_weights() {
    int mine = plan_.thread_weights(), steps = plan_.tile_steps();
    Var n = operands_.state(), t = r_.time, some("some"), in_some("in_some"), quad("quad"),
        in_vector("in_vector"), both("both");
    weights_.compute_at(y_, tile_)
        .store_in(in_shared)
        .bound(n, 0, 16)
        .bound_extent(t, steps)
        .split(n, some, in_some, mine)
        .split(in_some, quad, in_vector, std::min(mine, 4))
        .fuse(some, t, both)
        .split(both, warp_, lane_, 32);
    std::vector<VarOrRVar> order = {in_vector, quad, lane_, warp_};
    for (const Var &v : r_.outer) order.push_back(v);
    weights_.reorder(order).vectorize(in_vector).unroll(quad).gpu_threads(lane_, warp_);
    for (Func f : words_of_weights_)
        f.compute_at(weights_, lane_)
            .store_in(in_registers)
            .bound_extent(n_, mine / 2)
            .bound_extent(t, 1)
            .split(n_, quad, in_vector, std::min(mine / 2, 4))
            .vectorize(in_vector)
            .unroll(quad);
}

void StatesOverLanes::schedule_weight_copies() {
    int steps = plan_.tile_steps(), words = 16 / weight_words_.elements();
    Var t = r_.time, quad("quad"), in_vector("in_vector"), both("both"), round("round"), part("part");
    Var word = weight_words_.word, which = weight_words_.which;
    Func tile = weight_words_.tile;
    tile.compute_at(y_, tile_)
        .store_in(in_shared)
        .bound(word, 0, words)
        .bound(which, 0, weight_words_.operands())
        .bound_extent(t, steps)
        .split(word, quad, in_vector, 4)
        .fuse(quad, t, both)
        .split(both, round, lane_, 32)
        .split(round, part, warp_, copying_warps(words * steps));
    std::vector<VarOrRVar> order = {in_vector, which, part, lane_, warp_};
    for (const Var &v : r_.outer) order.push_back(v);
    tile.reorder(order).vectorize(in_vector).unroll(which).unroll(part).gpu_threads(lane_, warp_);
}

void StatesOverLanes::schedule_sums() {
    bool pairs = plan_.lanes == 4;
    int per_thread = pairs ? 2 : 1, of_thread = 16 / plan_.lanes, G = plan_.group_steps(), NG = plan_.groups;
    int vector = std::min(plan_.thread_steps(), 4);
    Var fused("fused"), part("part"), in_vector("in_vector");
    sums_.compute_at(y_, tile_)
        .store_in(in_shared)
        .bound(c_, 0, per_thread)
        .bound(k_, 0, per_thread)
        .bound(q_, 0, 4)
        .bound(g_, 0, 8)
        .bound_extent(gc_, NG)
        .bound_extent(w_, plan_.warps)
        .fuse(q_, g_, fused);
    std::vector<VarOrRVar> order = {c_, k_, gc_, fused, w_};
    for (const Var &v : r_.outer) order.push_back(v);
    sums_.reorder(order).unroll(k_).unroll(gc_).gpu_threads(fused, w_);
    if (pairs)
        sums_.vectorize(c_)
            .reorder_storage(over({c_, g_, q_, w_, k_, gc_}))
            .align_storage(g_, 12)
            .align_storage(q_, 6);
    else
        sums_.unroll(c_).reorder_storage(over({g_, q_, w_, gc_, k_, c_})).align_storage(q_, 5);

    std::vector<Func> in_group = {product_, states_};
    kept_.compute_at(sums_, fused)
        .bound_extent(gc_, NG)
        .reorder(c_, k_, gc_)
        .unroll(gc_)
        .unroll(k_)
        .unroll(c_);
    product_.compute_at(kept_, gc_).unroll(gi_);
    states_.compute_at(kept_, gc_).reorder(i_, c_, gi_).unroll(i_).unroll(c_).unroll(gi_).bound(gi_, 0, G);
    if (read_copy_.defined()) {
        read_copy_.compute_at(kept_, gc_).bound(i_, 0, of_thread).vectorize(i_);
        in_group.push_back(read_copy_);
    }
    for (Func f : step_copies_) {
        if (!f.defined()) continue;
        f.compute_at(kept_, gc_).bound(gi_, 0, G).split(gi_, part, in_vector, vector).vectorize(in_vector);
        f.unroll(part).unroll(c_);
        in_group.push_back(f);
    }
    for (auto &[i, f] : weight_copies_) {
        f.compute_at(kept_, gc_).bound(i_, 0, of_thread).vectorize(i_).unroll(gi_).bound(gi_, 0, G);
        in_group.push_back(f);
    }
    for (Func f : held_)
        f.compute_at(sums_, fused).bound(i_, 0, of_thread).bound(c_, 0, per_thread).unroll(i_).unroll(c_);
    in_group.push_back(kept_);
    in_group.insert(in_group.end(), held_.begin(), held_.end());
    for (Func f : in_group) {
        f.store_in(in_registers);
        for (const Var &v : {q_, g_, w_, gc_}) {
            auto args = f.args();
            bool has = std::any_of(args.begin(), args.end(), [&](const Var &a) { return a.same_as(v); });
            bool whole_tile = v.same_as(gc_) && f.name() == kept_.name();
            if (has && !whole_tile) f.bound_extent(v, 1);
        }
    }
}

} // namespace ks
