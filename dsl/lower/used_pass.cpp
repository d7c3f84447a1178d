// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/used_pass.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

// What no later block can break holds in all if it holds in the last one.
bool UsedPass::holds(const Expr &condition) const {
    if (last_.empty() || !condition.type().is_scalar()) return false;
    Expr c = simplify(lower::resolve(lets_, condition));
    for (const auto &[block, last] : last_) {
        if (!expr_uses_var(c, block)) continue;
        if (is_monotonic(c, block) != Monotonic::Decreasing) return false;
        c = substitute(block, last, c);
    }
    return can_prove(c);
}

Stmt UsedPass::visit(const LetStmt *op) {
    if (op->value.type().is_bool() && holds(op->value))
        return mutate(substitute(op->name, const_true(), op->body));
    if (op->value.as<Call>()) return IRMutator::visit(op); // a size, known by its name
    lets_.emplace_back(op->name, op->value);
    Stmt s = IRMutator::visit(op);
    lets_.pop_back();
    return s;
}

Stmt UsedPass::visit(const For *op) {
    if (op->for_type != ForType::GPUBlock) return IRMutator::visit(op);
    last_.emplace_back(op->name, lower::resolve(lets_, op->min + op->extent - 1));
    Stmt s = IRMutator::visit(op);
    last_.pop_back();
    return s;
}

Stmt UsedPass::visit(const IfThenElse *op) {
    return holds(op->condition) ? mutate(op->then_case) : IRMutator::visit(op);
}

} // namespace ks
