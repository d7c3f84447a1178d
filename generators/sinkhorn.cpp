// SPDX-License-Identifier: Apache-2.0
#include "generators/sinkhorn.h"
#include "generators/argmax.h"
#include <algorithm>

namespace ks {
using namespace Halide;

namespace {

Contract sinkhorn(const std::string &step) {
    Contract c;
    c.name = "sinkhorn_" + step;
    c.version = 1;
    c.summary = "Sinkhorn assignment of tokens to experts, " + std::string(step == "start" ? "the start"
                                                                           : step == "pass"
                                                                               ? "one pass"
                                                                               : "the plan and its argmax");
    c.dims = {{"T", 1, 1 << 24, false, "tokens"}, {"E", 1, Sinkhorn::most_experts, true, "experts"}};
    c.operands = {{"logits",
                   Role::input,
                   "f32",
                   {"T", "E"},
                   true,
                   "router output; linear space: |logit| <= 40 and 2 max(logit) + log(T E) <= 87; log space: "
                   "|logit| <= 1e37"}};
    auto add = [&](const char *name, Role role, const char *type, std::vector<std::string> shape,
                   const char *help) {
        c.operands.push_back({name, role, type, std::move(shape), false, help});
    };
    if (step == "plan") add("d0", Role::input, "f32", {"T"}, "row scales of the last pass");
    if (step != "start")
        add("d1", Role::input, "f32", {"E"}, "column scales: of the start, or d1_next of the last pass");
    if (step == "pass") add("d0", Role::output, "f32", {"T"}, "row scales");
    if (step != "plan") add("d1_next", Role::output, "f32", {"E"}, "new column scales; not the memory of d1");
    if (step == "pass") add("change", Role::output, "f32", {}, "what the stop rule looks at: one number");
    if (step == "plan") {
        add("plan", Role::output, "f32", {"T", "E"}, "rows sum to about 1/T, columns to about 1/E");
        add("index", Role::output, "i32", {"T"}, "largest entry of a row, the lowest expert among equals");
    }
    c.choices = {{"space", {"linear", "log"}}};
    c.tolerance = {
        {"f32", 2e-6}}; // relative to the largest; log space: plus 2e-7 max |logit| absolute in a logarithm
    c.non_finite = "NaN in a logit makes NaN of the column's scale at the start and of every column's in a "
                   "pass; `change` of log "
                   "space passes over NaN. Values beyond the domain may overflow, infinite logits give NaN.";
    return c;
}

// Fast-math may not reorder these products: other orders overflow.
Expr strict_product(const Expr &a, const Expr &b) {
    return Internal::Call::make(a.type(), Internal::Call::strict_mul, {a, b}, Internal::Call::PureIntrinsic);
}

Expr wide(const Expr &e) { return cast<double>(e); }

constexpr int folds_of_columns =
    32; // partials are summed to so many before they are summed one after the other

} // namespace

const Contract &sinkhorn_start_contract() {
    static const Contract c = sinkhorn("start");
    return c;
}

const Contract &sinkhorn_pass_contract() {
    static const Contract c = sinkhorn("pass");
    return c;
}

const Contract &sinkhorn_plan_contract() {
    static const Contract c = sinkhorn("plan");
    return c;
}

Sinkhorn::Sinkhorn(const Contract &contract, const Spec &spec, const Maths &maths, int partials)
    : operands(contract, spec), log_(spec.choice("space") == "log"), maths_(maths), partials_(partials) {
    tokens_ = operands.buffer("logits").dim(1).extent();
    experts_ = operands.width("E", "logits");
    if (contract.name == "sinkhorn_start") define_start();
    if (contract.name == "sinkhorn_pass") define_pass();
    if (contract.name == "sinkhorn_plan") define_plan();
}

Expr Sinkhorn::twice(const Expr &expert, const Expr &token) const {
    return 2.f * operands.load("logits", {expert, token});
}

// The argument of 2^x rounds to x 6e-8, which matters when x is near 100: the rest of it is a factor of its
// own.
Expr Sinkhorn::kernel(const Expr &expert, const Expr &token) const {
    Expr exact = wide(twice(expert, token)) * Expr(1.4426950408889634), head = cast<float>(exact);
    Expr rest = cast<float>(exact - wide(head));
    return maths_.exp2(head) * (1.f + rest * ln_2);
}

SinkhornSum Sinkhorn::column_sum(const Func &row_scale) const {
    RDom token(0, tokens_, "token");
    SinkhornSum s;
    s.sum = Func("column_sum");
    s.sum(e) = wide(0.f);
    if (!log_) {
        Expr k = wide(kernel(e, token));
        s.sum(e) += row_scale.defined() ? k * wide(row_scale(token)) : k;
        return s;
    }
    Expr term = twice(e, token);
    if (row_scale.defined()) term += row_scale(token);
    s.top = Func("column_top");
    s.top(e) = Float(32).min();
    s.top(e) = max(s.top(e), term);
    s.sum(e) += wide(maths_.exp(term - s.top(e)));
    return s;
}

SinkhornSum Sinkhorn::column_sum_by_parts(const Func &row_scale) {
    int folds = std::min(partials_, folds_of_columns);
    auto scaled = [&](const Expr &token) {
        if (log_) return row_scale.defined() ? twice(e, token) + row_scale(token) : twice(e, token);
        Expr k = wide(kernel(e, token));
        return row_scale.defined() ? k * wide(row_scale(token)) : k;
    };
    SinkhornSum s;
    if (log_) {
        column_tops.emplace("column_top", e, tokens_, partials_, folds, scaled, RowSum::Of::largest);
        s.top = column_tops->total;
    }
    column_sums.emplace("column_sum", e, tokens_, partials_, folds, [&](const Expr &token) {
        return log_ ? maths_.exp(scaled(token) - s.top(e)) : scaled(token);
    });
    s.sum = column_sums->total;
    return s;
}

SinkhornSum Sinkhorn::row_sum() const {
    RDom expert(0, experts_, "expert");
    SinkhornSum s;
    s.sum = Func("row_sum");
    s.sum(t) = wide(0.f);
    Expr d1 = operands.load("d1", {expert});
    if (!log_) {
        s.sum(t) += wide(kernel(expert, t)) * wide(d1);
        return s;
    }
    Expr term = twice(expert, t) + d1;
    s.top = Func("row_top");
    s.top(t) = Float(32).min();
    s.top(t) = max(s.top(t), term);
    s.sum(t) += wide(maths_.exp(term - s.top(t)));
    return s;
}

// 1 / (count (sum + floor)), or its logarithm.
Expr Sinkhorn::scale(const SinkhornSum &s, const Var &at, const Expr &count, float floor) const {
    if (!log_) return cast<float>(wide(1.f) / (wide(count) * (s.sum(at) + wide(floor))));
    Expr factor = cast<float>(s.sum(at)) * cast<float>(count);
    return -s.top(at) - ln_2 * maths_.log2(factor);
}

void Sinkhorn::define_start() {
    columns = partials_ ? column_sum_by_parts(Func()) : column_sum(Func());
    d1_next(e) = scale(columns, e, experts_, 0.f);
    operands.promise(d1_next);
}

Expr Sinkhorn::sum_or_largest_move() {
    auto moved = [&](const Expr &expert) {
        return abs(wide(d1_next(expert)) - wide(operands.load("d1", {expert})));
    };
    if (partials_) {
        auto of = log_ ? RowSum::Of::largest : RowSum::Of::sum;
        changes.emplace(
            "error", t, experts_, folds_of_columns, folds_of_columns,
            [&](const Expr &expert) { return log_ ? cast<float>(moved(expert)) : moved(expert); }, of);
        return changes->total(0);
    }
    RDom expert(0, experts_, "expert");
    error() = wide(0.f);
    error() = log_ ? max(error(), moved(expert)) : error() + moved(expert);
    return error();
}

void Sinkhorn::define_pass() {
    const float floor = 1e-8f;
    rows = row_sum();
    d0(t) = scale(rows, t, tokens_, floor);
    columns = partials_ ? column_sum_by_parts(d0) : column_sum(d0);
    d1_next(e) = scale(columns, e, experts_, floor);
    Expr moved = sum_or_largest_move();
    change() = cast<float>(log_ ? moved : moved / wide(experts_));
    for (const Func &f : {d0, d1_next, change}) operands.promise(f);
}

void Sinkhorn::define_plan() {
    Func score("score");
    Expr d0_t = operands.load("d0", {t}), d1_e = operands.load("d1", {e});
    if (log_) {
        score(e, t) = twice(e, t) + d0_t + d1_e;
        plan(e, t) = maths_.exp(score(e, t));
    } else {
        plan(e, t) = strict_product(strict_product(kernel(e, t), d1_e), d0_t);
        score = plan;
    }
    best = argmax_of(score, t, experts_);
    index(t) = best(t)[1];
    for (const Func &f : {plan, index}) operands.promise(f);
}

} // namespace ks
