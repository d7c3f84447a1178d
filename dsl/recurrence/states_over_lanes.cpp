// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/states_over_lanes.h"
#include "dsl/lower/carry_pass.h"
#include "dsl/lower/guards_pass.h"
#include "dsl/lower/overlap_pass.h"
#include "dsl/lower/words_pass.h"
#include "dsl/ptx/instructions.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int states = 16;
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
    if (groups < 1 || t < 1 || tile_steps() % t || tile_steps() * channels() / 2 != t * threads() ||
        (t > 4 && t % 4))
        refuse("the steps of a tile cannot be shared by the threads");
    // 16 bytes a thread are copied in one go. More threads than the recurrence has would walk channels of
    // others.
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

Func StatesOverLanes::register_words(const TileWords &tiles, int which, const std::string &name) {
    Func f(name + std::to_string(which));
    f(over({ti_, tc_, p_})) =
        reinterpret<uint32_t>(tiles.tile(at({p_, plan_.thread_steps() * tc_ + ti_, which})));
    return f;
}

// Operands of the steps in f32, and of steps past the end 0, so that the states stand still.
void StatesOverLanes::stage_steps() {
    Expr time = plan_.thread_steps() * tc_ + ti_;
    std::vector<Expr> values;
    for (const Expr &operand : operands_.of(OperandsOfTerms::per_step)) {
        Expr e = step_words_.through(
            inlined(operand),
            [&](int i) {
                words_of_steps_.try_emplace(i, register_words(step_words_, i, "step_words"));
                return half_of(words_of_steps_.at(i)(at({ti_, tc_, p_})), c_);
            },
            [&](const Expr &load) {
                return held_at(held_by_steps_, load, "held_by_steps", {c_, p_});
            });
        e = substitute({{r_.channel.name(), 2 * Expr(p_) + c_}, {r_.time.name(), time}}, e);
        values.push_back(select(time < length_, e, 0.f));
    }
    steps_(over({ti_, c_, tc_, p_})) = Tuple(values);
}

void StatesOverLanes::stage_weights() {
    const auto &wanted = operands_.of(OperandsOfTerms::per_weight);
    for (const Expr &operand : wanted) weight_words_.see(inlined(operand));
    weight_words_.define();
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
            [](const Expr &load) -> Expr {
                throw Error("states over lanes", load.as<Call>()->name + " is no operand of state and time");
            }));
    weights_(over({operands_.state(), r_.time})) = Tuple(values);
}

// A thread of the recurrence: its channel(s), its first state, and its operands in registers.
void StatesOverLanes::define_recurrence() {
    bool pairs = plan_.lanes == 4;
    int T = plan_.thread_steps(), G = plan_.group_steps(), of_thread = states / plan_.lanes,
        of_pairs = pairs ? 2 : 1;
    Expr first = pairs ? q_ * 4 : (g_ % 2) * 8 + q_ * 2, time = gc_ * G + gi_;
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
    const std::vector<Var> of_step = over({gi_, gc_, c_, q_, g_, w_}),
                           of_weight = over({i_, gi_, gc_, q_, g_});
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
        Expr load = weights_(at({first + i_, time}))[i];
        return copy_of(weight_copies_, "weight_operands", i, of_weight, load)(at({i_, gi_, gc_, q_, g_}));
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

// Sums over the states by mma. Of its 8 columns a thread needs some: it keeps those of its q.
void StatesOverLanes::define_sums() {
    bool pairs = plan_.lanes == 4;
    int G = plan_.group_steps();
    Expr first = pairs ? q_ * 4 : (g_ % 2) * 8 + q_ * 2;
    // Column g of B: a step, or a step and half of the states.
    read_copy_(over({i_, gc_, q_, g_})) =
        weights_(at({first + i_, gc_ * G + (pairs ? Expr(g_) : g_ / 2)}))[operands_.read_weight()];
    auto h = [&](int i, int c, const Expr &gi) { return states_(at({i, c, gi, gc_, q_, g_, w_})); };
    auto weight = [&](int i) { return read_copy_(at({i, gc_, q_, g_})); };
    std::vector<Var> point = over({gi_, gc_, q_, g_, w_});
    if (pairs) {
        std::vector<Expr> a;
        for (int i = 0; i < 4; i++)
            for (int c = 0; c < 2; c++) a.push_back(h(i, c, gi_));
        product_(point) = ptx::mma_k16(a, {weight(0), weight(1), weight(2), weight(3)}, gi_ % 2);
    } else { // rows g + 8: the next step
        Expr now = gi_ * 2, next = gi_ * 2 + 1;
        product_(point) = ptx::mma_k8({h(0, 0, now), h(0, 0, next), h(1, 0, now), h(1, 0, next)},
                                      {weight(0), weight(1)}, g_ % 2);
    }
    auto row = [&](const Expr &gi, const Expr &high) {
        Expr both = product_(at({gi, gc_, q_, g_, w_}));
        return reinterpret<float>(cast<uint32_t>(both >> cast<uint64_t>(high * 32)));
    };
    auto of_q = [&](const std::vector<Expr> &v) {
        return select(q_ == 0, v[0], q_ == 1, v[1], q_ == 2, v[2], v[3]);
    };
    // 4 lanes: steps 2q + k of channel c. 8 lanes: step q, one channel.
    kept_(over({c_, k_, gc_, q_, g_, w_})) =
        pairs ? of_q({row(k_, c_), row(2 + k_, c_), row(4 + k_, c_), row(6 + k_, c_)})
              : of_q({row(0, 0), row(0, 1), row(1, 0), row(1, 1)});
    sums_(over({c_, k_, q_, g_, gc_, w_})) = kept_(at({c_, k_, gc_, q_, g_, w_}));

    // As the consumer's threads read them: by pair and step, the values of a pair side by side.
    int T = plan_.thread_steps();
    Expr time = tc_ * T + ti_, e = time % G, group = time / G;
    if (pairs)
        summed_(over({v_, ti_, tc_, p_})) = sums_(at({v_, e % 2, e / 2, p_ % 8, group, p_ / 8}));
    else
        summed_(over({v_, ti_, tc_, p_})) = sums_(at({0, 0, e, (p_ % 2) * 4 + v_, group, p_ / 2}));
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
                words_of_consumer_.try_emplace(i, register_words(step_words_, i, "consumer_words"));
                return half_of(words_of_consumer_.at(i)(at({t % T, t / T, pair})), c);
            },
            [&](const Expr &load) {
                return held_at(held_by_consumer_, load, "held_by_consumer", {c, pair});
            });
        auto sum = [&](int v) { return summed_(at({v, t % T, t / T, pair})); };
        Expr whole = plan_.lanes == 4 ? sum(c) : sum(2 * c) + sum(2 * c + 1);
        halves.push_back(with_call(e, read.name(), whole * mean_kept));
    }
    Expr keep = weight_words_.tile(at({0, t, 0})); // its memory, while tiles overlap
    Expr word = keep_until(pack(halves[0], halves[1]), keep);
    y_(over({r_.channel, r_.time})) = select(d % 2 == 0, low_half(word), high_half(word));
    schedule_consumer();
    schedule_steps();
    schedule_weights();
    schedule_sums();
}

int StatesOverLanes::copies_a_thread() const { return step_words_.operands() + weight_words_.operands(); }

std::vector<std::shared_ptr<LoweringPass>> StatesOverLanes::passes() const {
    OverlapStages s;
    s.consumer = y_.name();
    s.tile = tile_.name();
    s.copies = {step_words_.tile.name(), weight_words_.tile.name()};
    s.prepared = {steps_.name(), weights_.name()};
    s.main = sums_.name();
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
