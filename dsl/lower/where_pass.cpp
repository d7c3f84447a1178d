// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/where_pass.h"
#include "dsl/lower/ir_facts.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <sstream>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

bool loads_from(const std::string &buffer, const Expr &e) {
    auto loads = lower::loads_in(e);
    return std::any_of(loads.begin(), loads.end(), [&](const Load *l) { return l->name == buffer; });
}

// Of a stage that Halide skips when nobody reads it.
bool is_used(const Expr &condition) {
    const Variable *v = condition.as<Variable>();
    return v && ends_with(v->name, ".used");
}

// `condition` around the statement, behind the tests and lets that it begins with.
Stmt inside_tests(const Stmt &s, const Expr &condition) {
    if (const IfThenElse *test = s.as<IfThenElse>(); test && !test->else_case.defined())
        return IfThenElse::make(test->condition, inside_tests(test->then_case, condition));
    if (const LetStmt *let = s.as<LetStmt>())
        return LetStmt::make(let->name, let->value, inside_tests(let->body, condition));
    return IfThenElse::make(condition, s);
}

} // namespace

void WherePass::verify() const {
    if (condition_.defined()) throw Error("where pass", "no loop is what its condition depends on");
    if (!placed_) throw Error("where pass", "no condition loads " + buffer_);
}

void WherePass::meet(const Expr &condition) {
    if (condition_.defined() && !equal(condition_, condition)) {
        std::ostringstream said;
        said << "two conditions load " << buffer_ << ": " << condition_ << " and " << condition;
        throw Error("where pass", said.str());
    }
    condition_ = condition;
}

Stmt WherePass::visit(const IfThenElse *op) {
    if (op->else_case.defined()) return IRMutator::visit(op);
    if (is_used(op->condition)) return mutate(op->then_case);
    std::vector<Expr> terms;
    split_into_ands(op->condition, terms);
    Expr ours, others;
    for (const Expr &term : terms) {
        Expr &side = loads_from(buffer_, term) ? ours : others;
        side = side.defined() ? side && term : term;
    }
    if (!ours.defined()) return IRMutator::visit(op);
    meet(ours);
    Stmt inner = mutate(op->then_case);
    return others.defined() ? IfThenElse::make(others, inner) : inner;
}

Stmt WherePass::around(const std::string &variable, const Stmt &body) {
    Stmt s = mutate(body);
    if (!condition_.defined() || !expr_uses_var(condition_, variable)) return s;
    s = inside_tests(s, condition_);
    condition_ = Expr();
    placed_++;
    return s;
}

Stmt WherePass::visit(const LetStmt *op) {
    auto of_loop = [&](const std::string &loop) { return expr_uses_var(op->value, loop); };
    if (std::any_of(serial_.begin(), serial_.end(), of_loop)) { // the loop decides
        Expr before = condition_;
        condition_ = Expr();
        Stmt body = mutate(op->body);
        Expr inside = condition_;
        condition_ = before;
        if (inside.defined()) meet(substitute(op->name, op->value, inside));
        return LetStmt::make(op->name, op->value, body);
    }
    return LetStmt::make(op->name, op->value, around(op->name, op->body));
}

Stmt WherePass::visit(const For *op) {
    bool serial = op->for_type == ForType::Serial;
    if (serial) serial_.push_back(op->name);
    Stmt body = around(op->name, op->body);
    if (serial) serial_.pop_back();
    return For::make(op->name, op->min, op->extent, op->for_type, op->partition_policy, op->device_api, body);
}

} // namespace ks
