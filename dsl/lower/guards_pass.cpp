// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/guards_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

// The statement without its tests, which are collected. Lets are put into what uses them: a test may stand
// inside one.
class StripTests : public IRMutator {
  public:
    std::vector<Expr> tests;

  private:
    using IRMutator::visit;
    Stmt visit(const LetStmt *op) override { return mutate(substitute(op->name, op->value, op->body)); }
    Stmt visit(const IfThenElse *op) override {
        if (op->else_case.defined()) return IRMutator::visit(op);
        tests.push_back(op->condition);
        return mutate(op->then_case);
    }
};

// Whether `last` holds only where `test` does: both compare with the same bound, or it can be proved.
bool implies(const Expr &last, const Expr &test) {
    auto same_bound = [](const auto *a, const auto *b) {
        return a && b && equal(simplify(a->b), simplify(b->b)) && can_prove(b->a <= a->a);
    };
    return same_bound(last.as<LT>(), test.as<LT>()) || same_bound(last.as<LE>(), test.as<LE>()) ||
           can_prove(!last || test);
}

} // namespace

void GuardsPass::verify() const {
    if (chains_ == 0)
        throw Error("guards of " + func_, "no unrolled tail was found: split with GuardWithIf and unroll");
}

Stmt GuardsPass::visit(const For *op) {
    bool is_loop = starts_with(op->name, func_ + ".s") && ends_with(op->name, "." + var_);
    if (inside_ || !is_loop) return ScopedPass::visit(op);
    inside_ = true;
    Stmt s = ScopedPass::visit(op);
    inside_ = false;
    return s;
}

Stmt GuardsPass::visit(const IfThenElse *op) {
    if (!inside_ || op->else_case.defined()) return ScopedPass::visit(op);
    StripTests strip;
    Stmt bare = strip.mutate(op);
    if (strip.tests.size() < 2) return ScopedPass::visit(op);
    for (Expr &test : strip.tests) test = lower::resolve(lets_, test); // often in lets around the loops
    const Expr &last = strip.tests.back();
    for (const Expr &test : strip.tests)
        if (!implies(last, test)) return ScopedPass::visit(op);
    chains_++;
    return IfThenElse::make(last, bare, op);
}

} // namespace ks
