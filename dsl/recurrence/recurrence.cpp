// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/recurrence.h"
#include "dsl/lowering_pass.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;

namespace {

Expr carry(const Recurrence &r, const Expr &n) {
    Expr state = r.state(n);
    return pseudo_call(state.type(), recurrence::carry_call, {state, r.decay(n), r.input(n)});
}

// `count` consecutive states, summed in two chains: one chain would wait for the adds' latency.
Expr read_states(const Recurrence &r, const Expr &first, int count) {
    Expr chain[2];
    for (int i = 0; i < count; i++) {
        Expr n = Internal::simplify(first + i), term = carry(r, n) * r.read(n), &sum = chain[i % 2];
        sum = sum.defined() ? term + sum : term;
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

// `var` and everything that the consumer's schedule split off it.
std::vector<std::string> parts_of(const Func &consumer, const Var &var) {
    std::vector<std::string> parts = {var.name()};
    for (const auto &split : consumer.function().definition().schedule().splits())
        if (std::find(parts.begin(), parts.end(), split.old_var) != parts.end()) {
            parts.push_back(split.outer);
            parts.push_back(split.inner);
        }
    return parts;
}

} // namespace

ReadOut::ReadOut(const Recurrence &r, int group, const std::vector<Ahead> &ahead, const std::string &name)
    : func(name), channel_(r.channel), time_(r.time), outer_(r.outer) {
    const std::vector<Var> at = point();
    if (auto constant = Internal::as_const_int(r.states)) {
        int states = static_cast<int>(*constant);
        func(at) = with_prefetch(read_states(r, 0, std::min(group, states)), ahead);
        for (int first = group; first < states; first += group)
            func(at) += read_states(r, first, std::min(group, states - first));
        loops_.resize(1 + (states - 1) / group);
        return;
    }
    RDom groups(0, r.states / group, "groups"), rest(r.states / group * group, r.states % group, "rest");
    func(at) = with_prefetch(0.f, ahead);
    func(at) += read_states(r, groups.x * group, group);
    loops_ = {{}, {groups.x}};
    if (group == 1) return;
    func(at) += read_states(r, rest.x, 1);
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

void ReadOut::check_no_replay(const Func &consumer, const Var &var, const std::string &execution) const {
    auto parts = parts_of(consumer, var);
    for (const auto &split : consumer.function().definition().schedule().splits())
        if (std::find(parts.begin(), parts.end(), split.old_var) != parts.end() &&
            split.tail != TailStrategy::GuardWithIf)
            throw Error(execution + " execution of " + func.name(),
                        "a split of " + var.name() +
                            " must end in GuardWithIf: any other tail runs steps twice");
}

void ReadOut::check_serial(const Func &consumer, const Var &var, const std::string &execution) const {
    auto parts = parts_of(consumer, var);
    for (const auto &dim : consumer.function().definition().schedule().dims())
        if (std::find(parts.begin(), parts.end(), dim.var) != parts.end() &&
            dim.for_type != Internal::ForType::Serial)
            throw Error(execution + " execution of " + func.name(),
                        var.name() + " must be serial in " + consumer.name());
}

} // namespace ks
