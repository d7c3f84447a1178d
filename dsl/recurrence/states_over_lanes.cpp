// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/states_over_lanes.h"
#include "dsl/lower/carry_pass.h"
#include "dsl/lower/guards_pass.h"
#include "dsl/lower/overlap_pass.h"
#include "dsl/lower/words_pass.h"
#include "dsl/ptx/instructions.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int states = LanesPlan::states;
constexpr float mean_kept = 1.f / (1.f - 3.52e-4f); // tf32 cuts states off: what is left on average, inverted

// Some exps on the FMA pipe: every n-th of those of a thread and group of steps, counted by `number`.
struct SomeByPolynomial : IRMutator {
    using IRMutator::visit;
    Expr number;
    int every, position;
    Expr visit(const Call *op) override {
        if (op->name != "__nv_exp2f") return IRMutator::visit(op);
        Expr x = mutate(op->args[0]);
        Expr unit = Call::make(op->type, op->name, {x}, op->call_type);
        return select(number % every == position, ptx::exp2_polynomial(x), unit);
    }
};

Expr no_operand_of_state_and_time(const Expr &load) {
    throw Error("states over lanes", load.as<Call>()->name + " is no operand of state and time");
}

} // namespace

int LanesPlan::thread_weights() const {
    for (int n : {2, 4, 8, 16})
        if (states / n * tile_steps() <= threads()) return n;
    return 0;
}

void LanesPlan::check() const {
    auto refuse = [](const std::string &cause) { throw Error("states over lanes", cause); };
    if (lanes != 4 && lanes != 8) refuse("a channel can be shared by 4 or 8 lanes");
    if (warps < 1 || warps > 8 || channels() % 8) refuse("a block must have a multiple of 8 channels");
    int t = thread_steps();
    if (groups < 1 || t < 2 || tile_steps() % t || tile_steps() * channels() / 2 != t * threads() ||
        (t > 4 && t % 4))
        refuse("the steps of a tile cannot be shared by the threads");
    // 16 bytes a thread are copied in one go, of f32 in two. More threads than the recurrence has would walk
    // channels of others.
    if (!thread_weights() || states / 8 * tile_steps() > threads())
        refuse("a tile has too many steps for its threads");
    if (polynomial < 0 || position < 0 || (polynomial && position >= polynomial))
        refuse("the position of the polynomial must be one of its every");
}

std::vector<Expr> StatesOverLanes::at(std::vector<Expr> index) const {
    for (const Var &v : r_.outer) index.emplace_back(v);
    return index;
}

std::vector<Var> StatesOverLanes::over(std::vector<Var> vars) const {
    vars.insert(vars.end(), r_.outer.begin(), r_.outer.end());
    return vars;
}

StatesOverLanes::StatesOverLanes(const Recurrence &r, const LanesPlan &plan, const Expr &steps, Func y)
    : read("read"),
      r_(r),
      plan_(plan),
      operands_(r),
      length_(steps),
      y_(std::move(y)),
      step_words_(r.channel, r.time, r.outer, steps - 1, "step_tile"),
      weight_words_(operands_.state(), r.time, r.outer, steps - 1, "weight_tile"),
      steps_("steps"),
      weights_("weights"),
      states_("states"),
      product_("product"),
      kept_("kept"),
      sums_("sums"),
      summed_("summed"),
      read_copy_("read_weights") {
    plan.check();
    auto count = as_const_int(simplify(r.states));
    if (!count || *count != states) throw Error("states over lanes", "a channel must have 16 states");
    if (!operands_.decay_reads(OperandsOfTerms::per_step) ||
        !operands_.input_reads(OperandsOfTerms::per_step))
        throw Error("states over lanes", "decay and input must read operands of channel and time");
    operands_.read_weight();
    std::vector<Var> point = over({r.channel, r.time});
    read(point) = 0.f; // replaced by consume()
}

// Funcs in registers at (half, word) for operands that are the same at every step.
Expr StatesOverLanes::held_at(std::vector<Held> &held, const Expr &load, const std::string &name,
                              const std::vector<Expr> &arguments) {
    size_t i = 0;
    while (i < held.size() && !equal(held[i].load, load)) i++;
    if (i == held.size()) {
        Func f(name + std::to_string(i));
        f(c_, p_) = substitute(r_.channel.name(), 2 * Expr(p_) + c_, load);
        held.push_back({load, f});
    }
    return held[i].func(arguments);
}

Func StatesOverLanes::register_words(int which, const std::string &name) const {
    Func f(name + std::to_string(which));
    Expr time = plan_.thread_steps() * tc_ + ti_;
    if (step_words_.elements() == 2)
        f(over({ti_, tc_, p_})) = reinterpret<uint32_t>(step_words_.tile(at({p_, time, which})));
    else
        f(over({c_, ti_, tc_, p_})) = step_words_.tile(at({2 * Expr(p_) + c_, time, which}));
    return f;
}

Expr StatesOverLanes::element(const Func &words, const Expr &c, const std::vector<Expr> &point) const {
    if (step_words_.elements() == 2) return half_of(words(at(point)), c);
    return words(at({c, point[0], point[1], point[2]}));
}

// Operands of the steps in f32; of steps past the end 0, unless the states stand still anyway.
void StatesOverLanes::stage_steps() {
    Expr time = plan_.thread_steps() * tc_ + ti_;
    std::vector<Expr> values;
    for (const Expr &operand : operands_.of(OperandsOfTerms::per_step)) {
        Expr e = step_words_.through(
            inlined(operand),
            [&](int i) {
                words_of_steps_.try_emplace(i, register_words(i, "step_words"));
                return element(words_of_steps_.at(i), c_, {ti_, tc_, p_});
            },
            [&](const Expr &load) {
                return held_at(held_by_steps_, load, "held_by_steps", {c_, p_});
            });
        Expr exists = time < length_;
        e = substitute({{r_.channel.name(), 2 * Expr(p_) + c_}, {r_.time.name(), time}}, e);
        e = substitute(recurrence::step_exists(), exists, e);
        values.push_back(r_.stands_still ? e : select(exists, e, 0.f));
    }
    steps_(over({ti_, c_, tc_, p_})) = Tuple(values);
}

void StatesOverLanes::stage_weights() {
    const auto &wanted = operands_.of(OperandsOfTerms::per_weight);
    for (const Expr &operand : wanted) weight_words_.see(inlined(operand));
    weight_words_.define();
    if (!halves_of_weights()) return; // read as they were copied
    for (int i = 0; i < weight_words_.operands(); i++) {
        Func f("weight_words" + std::to_string(i));
        f(over({n_, r_.time})) = reinterpret<uint32_t>(weight_words_.tile(at({n_, r_.time, i})));
        words_of_weights_.push_back(f);
    }
    std::vector<Expr> values;
    Expr n = operands_.state();
    for (const Expr &operand : wanted)
        values.push_back(weight_words_.through(
            inlined(operand),
            [&](int i) {
                return half_of(words_of_weights_[static_cast<size_t>(i)](at({n / 2, r_.time})), n % 2);
            },
            no_operand_of_state_and_time));
    weights_(over({operands_.state(), r_.time})) = Tuple(values);
}

// Of a thread of the recurrence.
Expr StatesOverLanes::first_state() const { return plan_.lanes == 4 ? q_ * 4 : (g_ % 2) * 8 + q_ * 2; }

// Its weights of every step in registers at (i, gi, gc, q, g).
Func StatesOverLanes::weight_copy(int which) {
    auto [found, made] = weight_copies_.try_emplace(which, "weight_operands" + std::to_string(which));
    Func f = found->second;
    if (!made) return f;
    Expr n = first_state() + i_, time = gc_ * plan_.group_steps() + gi_, value;
    if (halves_of_weights()) {
        value = weights_(at({n, time}))[which];
    } else {
        value = weight_words_.through(
            inlined(operands_.of(OperandsOfTerms::per_weight)[static_cast<size_t>(which)]),
            [&](int i) {
                return weight_words_.tile(at({operands_.state(), r_.time, i}));
            },
            no_operand_of_state_and_time);
        value = substitute({{operands_.state().name(), n}, {r_.time.name(), time}}, value);
    }
    f(over({i_, gi_, gc_, q_, g_})) = value;
    return f;
}

// A thread of the recurrence: its channel(s), its first state, and its operands in registers.
void StatesOverLanes::define_recurrence() {
    bool pairs = plan_.lanes == 4;
    int T = plan_.thread_steps(), G = plan_.group_steps(), of_thread = states / plan_.lanes,
        of_pairs = pairs ? 2 : 1;
    Expr first = first_state(), time = gc_ * G + gi_;
    Expr pair = w_ * (pairs ? 8 : 2) + (pairs ? Expr(g_) : g_ / 4), half = pairs ? Expr(c_) : (g_ / 2) % 2;
    Expr channel = pair * 2 + half;
    auto copy_of = [&](std::vector<Func> &made, const std::string &name, int i, const std::vector<Var> &vars,
                       const Expr &value) {
        if (made.size() <= static_cast<size_t>(i)) made.resize(static_cast<size_t>(i) + 1);
        Func &f = made[static_cast<size_t>(i)];
        if (f.defined()) return f;
        f = Func(name + std::to_string(i));
        f(vars) = value;
        return f;
    };
    const std::vector<Var> of_step = over({gi_, gc_, c_, q_, g_, w_});
    auto staged = [&](OperandsOfTerms::Kind kind, int i) -> Expr {
        if (kind == OperandsOfTerms::held) {
            Expr load = substitute({{r_.channel.name(), channel}, {operands_.state().name(), first + i_}},
                                   operands_.of(kind)[static_cast<size_t>(i)]);
            return copy_of(held_, "held", i, {i_, c_, q_, g_, w_}, load)(i_, c_, q_, g_, w_);
        }
        if (kind == OperandsOfTerms::per_step) {
            Expr load = steps_(at({time % T, half, time / T, pair}))[i];
            return copy_of(step_copies_, "step_operands", i, of_step, load)(at({gi_, gc_, c_, q_, g_, w_}));
        }
        return weight_copy(i)(at({i_, gi_, gc_, q_, g_}));
    };
    std::map<std::string, Expr> here = {
        {r_.channel.name(), channel}, {r_.time.name(), time}, {operands_.state().name(), first + i_}};
    Expr decay = substitute(here, operands_.decay(staged)), input = substitute(here, operands_.input(staged));
    if (plan_.polynomial) {
        SomeByPolynomial some;
        some.number = (gi_ * of_thread + i_) * of_pairs + c_;
        some.every = plan_.polynomial;
        some.position = plan_.position;
        decay = some.mutate(decay);
    }
    Expr state = substitute(r_.channel.name(), channel, r_.state(first + i_));
    states_(over({i_, c_, gi_, gc_, q_, g_, w_})) =
        pseudo_call(Float(32), recurrence::carry_call, {state, decay, input});
}

void StatesOverLanes::consume(const Expr &value, const Pack &pack) {
    Expr inner = inlined(value, read.name());
    for (const Expr &operand : operands_.of(OperandsOfTerms::per_step)) step_words_.see(inlined(operand));
    step_words_.see(inner);
    step_words_.define();
    stage_steps();
    stage_weights();
    define_recurrence();
    define_sums();

    int T = plan_.thread_steps();
    Expr d = r_.channel, t = r_.time, pair = d / 2;
    std::vector<Expr> halves;
    for (int c = 0; c < 2; c++) {
        Expr e = step_words_.through(
            inner,
            [&](int i) {
                words_of_consumer_.try_emplace(i, register_words(i, "consumer_words"));
                return element(words_of_consumer_.at(i), c, {t % T, t / T, pair});
            },
            [&](const Expr &load) {
                return held_at(held_by_consumer_, load, "held_by_consumer", {c, pair});
            });
        auto sum = [&](int v) { return summed_(at({v, t % T, t / T, pair})); };
        Expr whole = plan_.lanes == 4 ? sum(c) : sum(2 * c) + sum(2 * c + 1);
        halves.push_back(with_call(e, read.name(), f32_operands() ? whole : whole * mean_kept));
    }
    Expr keep = weight_words_.tile(at({0, t, 0})); // its memory, while tiles overlap
    Expr word = keep_until(pack(halves[0], halves[1]), keep);
    y_(over({r_.channel, r_.time})) = select(d % 2 == 0, low_half(word), high_half(word));
    schedule_consumer();
    schedule_steps();
    if (halves_of_weights()) schedule_weights();
    schedule_weight_copies();
    schedule_sums();
}

// Two tiles before the loop and one in it; of what the recurrence reads as it was copied one before the loop.
int StatesOverLanes::copies() const {
    auto of_tile = [&](const TileWords &tiles, int elements) {
        int words = plan_.tile_steps() * elements / tiles.elements();
        return tiles.operands() * std::max(1, words / 4 / 32 / copying_warps(words));
    };
    return 3 * of_tile(step_words_, plan_.channels()) +
           (halves_of_weights() ? 3 : 2) * of_tile(weight_words_, states);
}

std::vector<std::shared_ptr<LoweringPass>> StatesOverLanes::passes() const {
    OverlapStages s;
    s.consumer = y_.name();
    s.tile = tile_.name();
    s.copies = {step_words_.tile.name()};
    (halves_of_weights() ? s.copies : s.direct).insert(weight_words_.tile.name());
    s.prepared = {steps_.name()};
    if (halves_of_weights()) s.prepared.insert(weights_.name());
    s.main = sums_.name();
    s.load_late = plan_.load_late;
    auto add = [](std::set<std::string> &names, const Func &f) { names.insert(f.name()); };
    for (const auto &[i, f] : words_of_steps_) add(s.registers, f);
    for (const auto &[i, f] : words_of_consumer_) add(s.registers, f);
    for (const Func &f : words_of_weights_) add(s.registers, f);
    for (const Func &f : held_) add(s.once, f);
    for (const auto &h : held_by_steps_) add(s.once, h.func);
    for (const auto &h : held_by_consumer_) add(s.once, h.func);
    return {std::make_shared<WordsPass>(), std::make_shared<CarryPass>(s.consumer, s.tile),
            std::make_shared<GuardsPass>(s.consumer, s.tile), std::make_shared<OverlapPass>(s)};
}

} // namespace ks
