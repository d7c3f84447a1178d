// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/assign_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

const char *const assign_call = "ks_assign"; // ks_assign(value, condition, place, next, place, next, ...)

class TakeAssignments : public IRGraphMutator {
  public:
    std::vector<Assignment> found;
    Expr condition;

  private:
    using IRGraphMutator::visit;
    Expr visit(const Call *op) override {
        if (op->name != assign_call) return IRGraphMutator::visit(op);
        condition = mutate(op->args[1]);
        for (size_t i = 2; i < op->args.size(); i += 2) take(op->args[i], mutate(op->args[i + 1]));
        return mutate(op->args[0]);
    }

    void take(const Expr &place, const Expr &next) { // a call that is used twice assigns once
        for (const auto &[known, _] : found)
            if (graph_equal(known, place)) return;
        found.emplace_back(place, next);
    }
};

// Expressions computed before any place changes.
struct Bound {
    std::vector<std::pair<std::string, Expr>> lets;
    Expr bind(const Expr &e) {
        lets.emplace_back(unique_name("old"), common_subexpression_elimination(e));
        return Variable::make(e.type(), lets.back().first);
    }
    Stmt around(Stmt s) const {
        for (size_t i = lets.size(); i-- > 0;) s = LetStmt::make(lets[i].first, lets[i].second, s);
        return s;
    }
};

struct FindAssign : IRGraphVisitor {
    using IRGraphVisitor::visit;
    bool found = false;
    void visit(const Call *op) override {
        found = found || op->name == assign_call;
        IRGraphVisitor::visit(op);
    }
};

bool assigns(const Expr &e) {
    FindAssign find;
    e.accept(&find);
    return find.found;
}

} // namespace

Expr assign(const Expr &value, const std::vector<Assignment> &places, const Expr &condition) {
    std::vector<Expr> args = {value, condition};
    for (const auto &[place, next] : places) {
        args.push_back(place);
        args.push_back(next);
    }
    return pseudo_call(value.type(), assign_call, args);
}

void AssignPass::verify() const {
    if (assignments_ == 0)
        throw Error("update in place in " + func_, "nothing was assigned: do not inline it");
}

Stmt AssignPass::visit(const LetStmt *op) {
    if (assigns(op->value))
        return mutate(substitute(op->name, op->value, op->body)); // into the stores that use it
    return ScopedPass::visit(op);
}

Stmt AssignPass::visit(const ProducerConsumer *op) {
    if (!op->is_producer) return ScopedPass::visit(op);
    std::string outer = op->name;
    outer.swap(producing_);
    Stmt s = ScopedPass::visit(op);
    outer.swap(producing_);
    return s;
}

Stmt AssignPass::visit(const Store *op) {
    if (producing_ != func_) return op;
    TakeAssignments take;
    Expr value = take.mutate(substitute_in_all_lets(op->value));
    if (take.found.empty()) return op;

    Expr condition = take.condition;
    if (const Broadcast *b = condition.as<Broadcast>()) condition = b->value;
    if (!condition.type().is_scalar())
        throw Error("update in place in " + func_, "its condition differs between the lanes of a vector");

    Bound old; // all of the value, and where it goes
    Expr index = op->index.type().is_scalar() ? old.bind(op->index) : op->index;
    Stmt store = Store::make(op->name, old.bind(value), index, op->param, op->predicate, op->alignment);

    Bound next;
    std::vector<Stmt> stores;
    for (auto &[place, value_of_place] : take.found) {
        const Load *l =
            lower::load_behind(lets_, place, "assign pass", "only the place of a load can be assigned");
        Expr at = l->index.type().is_scalar() ? next.bind(l->index) : l->index;
        stores.push_back(
            Store::make(l->name, next.bind(value_of_place), at, l->param, l->predicate, l->alignment));
        assignments_++;
    }
    Stmt change = next.around(Block::make(stores));
    if (!is_const_one(condition)) change = IfThenElse::make(condition, change);
    return old.around(Block::make(change, store));
}

} // namespace ks
