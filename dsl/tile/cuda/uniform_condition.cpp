// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/uniform_condition.h"
#include "dsl/lower/ir_facts.h"

namespace ks::tile {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// That of all lanes.
Expr scalar(const Expr &condition) {
    const Broadcast *all = condition.as<Broadcast>();
    return all ? all->value : condition;
}

class Find : public IRVisitor {
  public:
    explicit Find(const std::function<bool(const Expr &)> &varies) : varies_(varies) {}

    Expr uniform() const {
        for (const Expr &condition : conditions_) {
            bool inner = false;
            for (const auto &name : lower::variables_in(condition)) inner = inner || defined_.count(name);
            if (!inner && lower::loads_in(condition).empty() && !varies_(condition)) return condition;
        }
        return Expr();
    }

  private:
    using IRVisitor::visit;
    const std::function<bool(const Expr &)> &varies_;
    std::vector<Expr> conditions_;
    std::set<std::string> defined_;

    void visit(const Select *op) override {
        Expr condition = scalar(op->condition);
        if (condition.type().is_scalar()) conditions_.push_back(condition);
        IRVisitor::visit(op);
    }
    void visit(const LetStmt *op) override {
        defined_.insert(op->name);
        IRVisitor::visit(op);
    }
    void visit(const Let *op) override {
        defined_.insert(op->name);
        IRVisitor::visit(op);
    }
    void visit(const For *op) override {
        defined_.insert(op->name);
        IRVisitor::visit(op);
    }
};

class Decide : public IRMutator {
  public:
    Decide(const Expr &condition, bool holds) : condition_(condition), holds_(holds) {}

  private:
    using IRMutator::visit;
    Expr condition_;
    bool holds_;
    Expr visit(const Select *op) override {
        if (!equal(scalar(op->condition), condition_)) return IRMutator::visit(op);
        return mutate(holds_ ? op->true_value : op->false_value);
    }
};

} // namespace

Expr uniform_condition(const Stmt &code, const std::function<bool(const Expr &)> &varies) {
    Find find(varies);
    code.accept(&find);
    return find.uniform();
}

Stmt with_condition(const Stmt &code, const Expr &condition, bool holds) {
    return Decide(condition, holds).mutate(code);
}

} // namespace ks::tile
