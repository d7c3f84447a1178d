// SPDX-License-Identifier: Apache-2.0
#include "dsl/recurrence/operands_of_terms.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

struct Inline : IRMutator {
    using IRMutator::visit;
    std::string but;
    Expr visit(const Call *op) override {
        if (op->call_type != Call::Halide || op->name == but) return IRMutator::visit(op);
        Function f(op->func);
        if (f.has_update_definition() || !f.has_pure_definition())
            throw Error("recurrence", f.name() + " has updates: it cannot be staged as an operand");
        std::map<std::string, Expr> arguments;
        for (size_t i = 0; i < op->args.size(); i++) arguments[f.args()[i]] = op->args[i];
        Expr value = substitute_in_all_lets(f.values()[static_cast<size_t>(op->value_index)]);
        return mutate(substitute(arguments, value));
    }
};

struct ReplaceCall : IRMutator {
    using IRMutator::visit;
    std::string name;
    Expr value;
    Expr visit(const Call *op) override {
        return op->call_type == Call::Halide && op->name == name ? value : IRMutator::visit(op);
    }
};

bool is_operand(const Call *op) { return op->call_type == Call::Halide || op->call_type == Call::Image; }

} // namespace

Expr inlined(const Expr &e, const std::string &but) {
    Inline all;
    all.but = but;
    return all.mutate(e);
}

Expr with_call(const Expr &e, const std::string &name, const Expr &value) {
    ReplaceCall replace;
    replace.name = name;
    replace.value = value;
    return replace.mutate(e);
}

// Finds the operands of a term or, given what stands for them, replaces them.
class FindOperands : public IRMutator {
  public:
    FindOperands(const OperandsOfTerms &all, const OperandsOfTerms::Staged &staged)
        : all_(all), staged_(staged) {}
    std::vector<Expr> found[3];

  private:
    using IRMutator::visit;
    const OperandsOfTerms &all_;
    const OperandsOfTerms::Staged &staged_;

    OperandsOfTerms::Kind kind_of(const Call *op) const {
        const Recurrence &r = all_.recurrence_;
        Expr e = op;
        bool channel = expr_uses_var(e, r.channel.name()), time = expr_uses_var(e, r.time.name()),
             state = expr_uses_var(e, all_.state_.name());
        if (channel && time && state)
            throw Error("recurrence", op->name + " depends on channel, state and time at once");
        return !time   ? OperandsOfTerms::held
               : state ? OperandsOfTerms::per_weight
                       : OperandsOfTerms::per_step;
    }
    Expr visit(const Call *op) override {
        if (!is_operand(op)) return IRMutator::visit(op);
        OperandsOfTerms::Kind kind = kind_of(op);
        auto &known = staged_ ? all_.loads_[kind] : found[kind];
        size_t i = 0;
        while (i < known.size() && !equal(known[i], op)) i++;
        if (staged_) return staged_(kind, static_cast<int>(i));
        if (i == found[kind].size()) found[kind].push_back(op);
        return op;
    }
};

OperandsOfTerms::OperandsOfTerms(const Recurrence &r) : recurrence_(r) {
    decay_ = r.decay(state_);
    input_ = r.input(state_);
    read_ = r.read(state_);
    Staged none;
    FindOperands find(*this, none);
    for (const Expr &term : {decay_, input_, read_}) find.mutate(term);
    for (int kind = 0; kind < 3; kind++) loads_[kind] = find.found[kind];
}

Expr OperandsOfTerms::with(const Expr &term, const Staged &staged) const {
    return FindOperands(*this, staged).mutate(term);
}

int OperandsOfTerms::read_weight() const {
    const auto &weights = loads_[per_weight];
    for (size_t i = 0; i < weights.size(); i++)
        if (equal(weights[i], read_)) return static_cast<int>(i);
    throw Error("recurrence",
                "its read-out must be one operand of state and time, the same for all channels");
}

bool OperandsOfTerms::reads(Kind kind, const Expr &term) const {
    bool any = false;
    Staged watch = [&](Kind k, int) -> Expr {
        any = any || k == kind;
        return 0.f;
    };
    with(term, watch);
    return any;
}

} // namespace ks
