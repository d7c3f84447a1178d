// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/recurrence.h"
#include "dsl/lower/lanes_pass.h"
#include "dsl/lowering_pass.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;

Expr recurrence::step_exists() { return pseudo_call(Bool(), "ks_step_exists", {}); }

namespace {

// State n times its read-out weight, once it has stepped.
Expr term(const Recurrence &r, const Expr &n) {
    Expr state = r.state(n);
    return pseudo_call(state.type(), recurrence::carry_call, {state, r.decay(n), r.input(n)}) * r.read(n);
}

// The same where n may lie behind the last state, which then is neither stepped nor counted.
Expr term_if_any(const Recurrence &r, const Expr &n) {
    Expr any = n < r.states, last = min(n, r.states - 1), state = r.state(last);
    Expr next = pseudo_call(state.type(), recurrence::carry_call, {state, r.decay(last), r.input(last), any});
    return select(any, next * r.read(last), 0.f);
}

// `count` states from `first` on, of which a lane has every `lanes`-th; summed in two chains: one chain would
// wait for the adds' latency.
Expr read_states(const Recurrence &r, const Expr &first, int count, int lanes) {
    Expr chain[2];
    for (int i = 0; i < count; i++) {
        Expr n = Internal::simplify(first + i), &sum = chain[i % 2];
        Expr one = lanes == 1 ? term(r, n) : term_if_any(r, n * lanes + lane_of(r.channel, lanes));
        sum = sum.defined() ? one + sum : one;
    }
    return chain[1].defined() ? chain[0] + chain[1] : chain[0];
}

Expr with_prefetch(const Expr &value, const std::vector<Ahead> &ahead) {
    if (ahead.empty()) return value;
    std::vector<Expr> arguments = {value};
    for (const auto &a : ahead) {
        arguments.push_back(a.load);
        arguments.push_back(a.offset);
    }
    return pseudo_call(value.type(), recurrence::touch_call, arguments);
}

using Splits = std::vector<Internal::Split>;

// Those of the Func and of each of its specialisations.
std::vector<Splits> splits_of(const Func &consumer) {
    const Internal::Definition &all = consumer.function().definition();
    std::vector<Splits> splits = {all.schedule().splits()};
    for (const auto &special : all.specializations())
        splits.push_back(special.definition.schedule().splits());
    return splits;
}

// `var` and everything that the consumer's schedule split off it.
std::vector<std::string> parts_of(const Splits &splits, const Var &var) {
    std::vector<std::string> parts = {var.name()};
    for (const auto &split : splits)
        if (std::find(parts.begin(), parts.end(), split.old_var) != parts.end()) {
            parts.push_back(split.outer);
            parts.push_back(split.inner);
        }
    return parts;
}

// Whether every part of `var`, which has a multiple of `multiple` values, is walked once.
bool walked_once(const Splits &splits, const Var &var, int multiple) {
    std::vector<std::string> parts = parts_of(splits, var);
    std::string outermost = var.name();
    for (const auto &split : splits) {
        if (std::find(parts.begin(), parts.end(), split.old_var) == parts.end()) continue;
        bool whole = split.old_var == outermost;
        auto factor = Internal::as_const_int(split.factor);
        bool even = whole && factor && multiple % *factor == 0;
        if (split.tail != TailStrategy::GuardWithIf && !even) return false;
        if (!whole) continue;
        outermost = split.outer;
        multiple = even ? multiple / static_cast<int>(*factor) : 1;
    }
    return true;
}

} // namespace

ReadOut::ReadOut(const Recurrence &r, int group, const std::vector<Ahead> &ahead, const std::string &name,
                 int lanes)
    : func(name), channel_(r.channel), time_(r.time), outer_(r.outer) {
    const std::vector<Var> at = point();
    if (auto constant = Internal::as_const_int(r.states)) {
        int states = static_cast<int>((*constant + lanes - 1) / lanes);
        func(at) = with_prefetch(read_states(r, 0, std::min(group, states), lanes), ahead);
        for (int first = group; first < states; first += group)
            func(at) += read_states(r, first, std::min(group, states - first), lanes);
        loops_.resize(1 + (states - 1) / group);
        return;
    }
    if (lanes > 1) {
        RDom groups(0, (r.states + group * lanes - 1) / (group * lanes), "groups");
        func(at) = with_prefetch(0.f, ahead);
        func(at) += read_states(r, groups.x * group, group, lanes);
        loops_ = {{}, {groups.x}};
        return;
    }
    RDom groups(0, r.states / group, "groups"), rest(r.states / group * group, r.states % group, "rest");
    func(at) = with_prefetch(0.f, ahead);
    func(at) += read_states(r, groups.x * group, group, 1);
    loops_ = {{}, {groups.x}};
    if (group == 1) return;
    func(at) += read_states(r, rest.x, 1, 1);
    loops_.push_back({rest.x});
}

std::vector<Var> ReadOut::point() const {
    std::vector<Var> vars = {channel_, time_};
    vars.insert(vars.end(), outer_.begin(), outer_.end());
    return vars;
}

void ReadOut::spread_over_threads(int threads) {
    for (size_t stage = 0; stage < loops_.size(); stage++) {
        Stage s = stage ? func.update(static_cast<int>(stage) - 1) : Stage(func);
        Var round("round");
        s.split(channel_, round, channel_, threads, TailStrategy::GuardWithIf);
        std::vector<VarOrRVar> order = {time_};
        order.insert(order.end(), loops_[stage].begin(), loops_[stage].end());
        order.insert(order.end(), {channel_, round});
        s.reorder(order).gpu_threads(channel_);
    }
}

void ReadOut::vectorise(int lanes, int vectors) {
    for (size_t stage = 0; stage < loops_.size(); stage++) {
        Stage s = stage ? func.update(static_cast<int>(stage) - 1) : Stage(func);
        Var block("block"), vector("vector");
        s.split(channel_, block, channel_, vectors * lanes, TailStrategy::GuardWithIf);
        s.split(channel_, vector, channel_, lanes, TailStrategy::GuardWithIf);
        std::vector<VarOrRVar> order = {channel_, vector, time_};
        order.insert(order.end(), loops_[stage].begin(), loops_[stage].end());
        order.push_back(block);
        s.reorder(order).vectorize(channel_).unroll(vector);
    }
}

void ReadOut::check_no_replay(const Func &consumer, const Var &var, const std::string &execution,
                              int multiple) const {
    for (const Splits &splits : splits_of(consumer))
        if (!walked_once(splits, var, multiple))
            throw Error(execution + " execution of " + func.name(),
                        "a split of " + var.name() +
                            " must end in GuardWithIf: any other tail runs steps twice");
}

void ReadOut::check_serial(const Func &consumer, const Var &var, const std::string &execution) const {
    auto parts = parts_of(consumer.function().definition().schedule().splits(), var);
    for (const auto &dim : consumer.function().definition().schedule().dims())
        if (std::find(parts.begin(), parts.end(), dim.var) != parts.end() &&
            dim.for_type != Internal::ForType::Serial)
            throw Error(execution + " execution of " + func.name(),
                        var.name() + " must be serial in " + consumer.name());
}

} // namespace ks
