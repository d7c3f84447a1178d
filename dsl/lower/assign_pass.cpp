// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/assign_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

const char *const assign_call = "ks_assign"; // ks_assign(value, place, next, place, next, ...)

class TakeAssignments : public IRGraphMutator {
  public:
    std::vector<Assignment> found;

  private:
    using IRGraphMutator::visit;
    Expr visit(const Call *op) override {
        if (op->name != assign_call) return IRGraphMutator::visit(op);
        for (size_t i = 1; i < op->args.size(); i += 2) take(op->args[i], mutate(op->args[i + 1]));
        return mutate(op->args[0]);
    }

    void take(const Expr &place, const Expr &next) { // a call that is used twice assigns once
        for (const auto &[known, _] : found)
            if (graph_equal(known, place)) return;
        found.emplace_back(place, next);
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

Expr assign(const Expr &value, const std::vector<Assignment> &places) {
    std::vector<Expr> args = {value};
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
    lets_.emplace_back(op->name, op->value);
    Stmt s = IRMutator::visit(op);
    lets_.pop_back();
    return s;
}

Stmt AssignPass::visit(const Store *op) {
    if (op->name != func_) return op;
    TakeAssignments take;
    Expr value = take.mutate(substitute_in_all_lets(op->value));
    if (take.found.empty()) return op;

    std::vector<std::pair<std::string, Expr>> old; // computed before any place changes
    auto bind = [&](const Expr &e) {
        old.emplace_back(unique_name("old"), common_subexpression_elimination(e));
        return Variable::make(e.type(), old.back().first);
    };
    Expr index = op->index.type().is_scalar() ? bind(op->index) : op->index;
    std::vector<Stmt> stores;
    for (auto &[place, next] : take.found) {
        const Load *l =
            lower::load_behind(lets_, place, "assign pass", "only the place of a load can be assigned");
        Expr at = l->index.type().is_scalar() ? bind(l->index) : l->index;
        stores.push_back(Store::make(l->name, bind(next), at, l->param, l->predicate, l->alignment));
        assignments_++;
    }
    stores.push_back(Store::make(op->name, bind(value), index, op->param, op->predicate, op->alignment));
    Stmt all = Block::make(stores);
    for (size_t i = old.size(); i-- > 0;) all = LetStmt::make(old[i].first, old[i].second, all);
    return all;
}

} // namespace ks
