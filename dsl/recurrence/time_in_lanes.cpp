// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/time_in_lanes.h"
#include "dsl/lower/assign_pass.h"
#include "dsl/lower/guards_pass.h"
#include "dsl/lower/shuffle_pass.h"
#include "dsl/lower/used_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int warp = 32;

int known_states(const Recurrence &r) { // 0: any number
    auto count = as_const_int(simplify(r.states));
    return count ? static_cast<int>(*count) : 0;
}

// Stand for operands while the form of a term is looked at.
Expr mark(OperandsOfTerms::Kind kind, int i) {
    return Variable::make(Float(32), "operand" + std::to_string(kind) + "." + std::to_string(i));
}

// Where decay = 2^(an operand of the step times one that is the same at every step): the first of them; else
// -1. Such decays multiply to one power, of the operand's sum; and where it is 0, as behind the last step,
// the state stands still.
int step_in_power(const OperandsOfTerms &operands) {
    const Expr decay = operands.decay(mark);
    const Call *call = decay.as<Call>();
    const Mul *product = call && call->name == "__nv_exp2f" ? call->args[0].as<Mul>() : nullptr;
    auto count = [&](OperandsOfTerms::Kind kind) { return static_cast<int>(operands.of(kind).size()); };
    for (int i = 0; product && i < count(OperandsOfTerms::per_step); i++)
        for (int j = 0; j < count(OperandsOfTerms::held); j++) {
            Expr step = mark(OperandsOfTerms::per_step, i), held = mark(OperandsOfTerms::held, j);
            if (equal(product->a, step) && equal(product->b, held)) return i;
            if (equal(product->a, held) && equal(product->b, step)) return i;
        }
    return -1;
}

Expr element(const Func &f, const std::vector<Expr> &at, int i) {
    return f.outputs() == 1 ? Expr(f(at)) : Expr(f(at)[i]);
}

bool input_is_0_at_0(const OperandsOfTerms &operands) {
    return is_const_zero(simplify(operands.input([](OperandsOfTerms::Kind kind, int i) -> Expr {
        return kind == OperandsOfTerms::per_step ? Expr(0.f) : mark(kind, i);
    })));
}

} // namespace

void TimePlan::check(int count) const {
    auto refuse = [](const std::string &cause) { throw Error("time in lanes", cause); };
    if (channels < 1 || channels > 16 || warp % channels) refuse("a warp can have 1, 2, 4, 8 or 16 channels");
    if (own < 1 || own > 4) refuse("a thread can have 1 to 4 channels");
    if (warps < 1 || warps > 16) refuse("a block can have 1 to 16 warps");
    if (steps < 4 || steps % 4 || steps > 32) refuse("a thread can have 4, 8, ... 32 steps"); // 16 bytes
    int group = group_of(count);
    if (states < 1 || group % states) refuse("the states cannot be walked so many at a time");
    bool whole = count && count % group == 0;
    if (weights_vector < 1 || group % weights_vector || (weights_vector > 1 && !whole))
        refuse("the weights of a group of states are no vectors");
}

std::vector<Expr> TimeInLanes::at(std::vector<Expr> index) const {
    for (const Var &v : r_.outer) index.emplace_back(v);
    return index;
}

std::vector<Var> TimeInLanes::over(std::vector<Var> vars) const {
    vars.insert(vars.end(), r_.outer.begin(), r_.outer.end());
    return vars;
}

TimeInLanes::TimeInLanes(const Recurrence &r, const TimePlan &plan, const Expr &channels, const Expr &steps)
    : read("read"), r_(r), plan_(plan), operands_(r), channels_(channels), steps_(steps) {
    int known = known_states(r);
    plan.check(known);
    group_ = TimePlan::group_of(known);
    whole_ = known && known % group_ == 0;
    along_ = RDom(0, plan.steps, "along");
    states_loop_ = RDom(0, group_, "in_group");
    if (known != group_) groups_ = RDom(0, (r.states + group_ - 1) / group_, "state_groups");
    stage();
    define_terms();
    define_walks();
}

// Channels, steps and states behind the last ones are the last one again: they are walked, but nothing is
// kept of them.
Expr TimeInLanes::here(const Expr &e) const {
    return substitute({{r_.channel.name(), min(Expr(d_), channels_ - 1)},
                       {r_.time.name(), min(tg_ * plan_.steps + ti_, steps_ - 1)},
                       {operands_.state().name(), whole_ ? Expr(n_) : min(n_, r_.states - 1)}},
                      e);
}

Expr TimeInLanes::state_exists() const { return whole_ ? const_true() : n_ < r_.states; }

Expr TimeInLanes::lane() const {
    return tg_ % plan_.groups() * plan_.channels + d_ / plan_.own % plan_.channels;
}

void TimeInLanes::stage() {
    std::vector<Expr> of_step, of_weight;
    Expr exists = tg_ * plan_.steps + ti_ < steps_;
    std::vector<Expr> known;
    for (const Expr &e : operands_.of(OperandsOfTerms::per_step)) {
        known.push_back(here(inlined(e)));
        Expr value = known.back(); // often with an earlier one in it, which no compiler would find
        for (size_t i = 0; i < step_values_.size(); i++)
            value = substitute(known[i], step_values_[i](at({ti_, tg_, d_})), value);
        step_values_.emplace_back("step_value" + std::to_string(step_values_.size()));
        step_values_.back()(over({ti_, tg_, d_})) = value;
        of_step.push_back(select(exists, step_values_.back()(at({ti_, tg_, d_})), 0.f));
    }
    for (const Expr &e : operands_.of(OperandsOfTerms::per_weight)) of_weight.push_back(here(inlined(e)));
    if (!of_step.empty()) {
        step_tile_ = Func("step_tile");
        step_tile_(over({ti_, tg_, d_})) = Tuple(of_step);
    }
    if (!of_weight.empty()) {
        weight_tile_ = Func("weight_tile");
        weight_tile_(over({ti_, tg_, n_})) = Tuple(of_weight);
    }
    for (size_t i = 0; i < of_step.size(); i++) {
        step_operands_.emplace_back("step_operand" + std::to_string(i));
        step_operands_[i](over({ti_, tg_, d_})) =
            element(step_tile_, at({ti_, tg_, d_}), static_cast<int>(i));
    }
    of_tile_ = step_operands_;
    for (const Expr &e : operands_.of(OperandsOfTerms::held)) {
        held_.emplace_back("held" + std::to_string(held_.size()));
        held_.back()(over({n_, d_})) = here(e);
    }
    of_state_ = held_;
}

Expr TimeInLanes::operand(OperandsOfTerms::Kind kind, int i) {
    if (kind == OperandsOfTerms::held) return held_[static_cast<size_t>(i)](at({n_, d_}));
    if (kind == OperandsOfTerms::per_weight) return element(weight_tile_, at({ti_, tg_, n_}), i);
    return step_operands_[static_cast<size_t>(i)](at({ti_, tg_, d_}));
}

void TimeInLanes::define_terms() {
    auto staged = [&](OperandsOfTerms::Kind kind, int i) { return operand(kind, i); };
    Expr exists = tg_ * plan_.steps + ti_ < steps_;
    Expr decay = here(operands_.decay(staged)), input = here(operands_.input(staged));
    int in_power = step_in_power(operands_);
    if (in_power < 0) decay = select(exists, decay, 1.f);
    if (!input_is_0_at_0(operands_)) input = select(exists, input, 0.f);
    std::vector<Var> step = over({ti_, n_, tg_, d_});
    decays_(step) = decay;
    inputs_(step) = input;
    by_step_ = {decays_, inputs_};

    std::vector<Var> state = over({n_, tg_, d_});
    if (in_power >= 0) {
        totals_ = Func("totals");
        totals_(over({tg_, d_})) = 0.f;
        totals_(over({tg_, d_})) += step_operands_[static_cast<size_t>(in_power)](at({along_, tg_, d_}));
        products_(state) = here(operands_.decay([&](OperandsOfTerms::Kind kind, int i) -> Expr {
            return kind == OperandsOfTerms::per_step ? totals_(at({tg_, d_})) : operand(kind, i);
        }));
        of_tile_.push_back(totals_);
    } else {
        products_(state) = 1.f;
        products_(state) *= decays_(at({along_, n_, tg_, d_}));
    }
}

// From state 0, for the last state; then from the state at its start, for all.
void TimeInLanes::define_walks() {
    auto next = [&](const Expr &state) {
        return decays_(at({along_, n_, tg_, d_})) * state + inputs_(at({along_, n_, tg_, d_}));
    };
    ends_(over({n_, tg_, d_})) = 0.f;
    ends_(over({n_, tg_, d_})) = next(ends_(at({n_, tg_, d_})));
    of_state_.insert(of_state_.end(), {products_, ends_});
    join_groups();

    std::vector<Expr> walked = at({along_, n_, tg_, d_});
    walked_(over({ti_, n_, tg_, d_})) = undef<float>();
    walked_(walked) =
        next(select(along_ == 0, start_(at({n_, tg_, d_})), walked_(at({max(along_ - 1, 0), n_, tg_, d_}))));

    Expr weight = here(operands_.read([&](auto kind, int i) { return operand(kind, i); }));
    Expr term = select(state_exists(), weight, 0.f) * walked_(at({ti_, n_, tg_, d_}));
    sum_(over({ti_, tg_, d_, ng_})) = 0.f;
    sum_(over({ti_, tg_, d_, ng_})) += substitute(n_.name(), ng_ * group_ + states_loop_, term);
    std::vector<Var> point = over({ti_, tg_, d_});
    auto of_group = [&](const Expr &group) { return sum_(at({ti_, tg_, d_, group})); };
    if (groups_.defined()) {
        sums_(point) = 0.f;
        sums_(point) += of_group(groups_);
    } else {
        sums_(point) = of_group(0);
    }
    read_copy_(point) = sums_(at({ti_, tg_, d_}));
    read(over({r_.channel, r_.time})) =
        read_copy_(at({r_.time % plan_.steps, r_.time / plan_.steps, r_.channel}));
}

// The state at the start of each time group. The first one joins in the state that the buffer holds; the last
// one's end state, which a circle brings to the first, is what it holds next.
void TimeInLanes::join_groups() {
    std::vector<Var> state = over({n_, tg_, d_});
    std::vector<Expr> own = at({n_, tg_, d_});
    Expr group = tg_ % plan_.groups();
    auto define = [&](const std::string &name, const Expr &value) {
        Func f(name);
        f(state) = value;
        of_state_.push_back(f);
        return Expr(f(own));
    };
    Expr place = here(r_.state(operands_.state()));
    // (A state that does not exist must not bring the last one's NaN to steps before it.)
    Expr before = define("before", select(state_exists(), place, 0.f)), product = products_(own),
         end = ends_(own);
    end = define("joined", select_by_lane(group == 0, product * before + end, end));
    for (int distance = 1; distance < plan_.groups(); distance *= 2) {
        auto of_other = [&](const Expr &e) {
            return define("of_other", shuffle_up(e, lane(), distance * plan_.channels));
        };
        Expr has = group >= distance, other_end = of_other(end);
        Expr joined = define("joined", select_by_lane(has, product * other_end + end, end));
        if (2 * distance < plan_.groups())
            product = define("product", select_by_lane(has, product * of_other(product), product));
        end = joined;
    }
    Expr around = define("around", shuffle_around(end, lane(), plan_.channels));
    start_(state) = assign(select_by_lane(group == 0, before, around), {{place, around}},
                           group == 0 && d_ < channels_ && state_exists());
    of_state_.push_back(start_);
}

std::vector<std::shared_ptr<LoweringPass>> TimeInLanes::passes(const Func &y) const {
    return {std::make_shared<UsedPass>(), std::make_shared<AssignPass>(start_.name()),
            std::make_shared<ShufflePass>(), std::make_shared<GuardsPass>(y.name(), tile_.name())};
}

} // namespace ks
