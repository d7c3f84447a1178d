// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/scoped_pass.h"

namespace ks {
using namespace Halide::Internal;

Stmt ScopedPass::visit(const LetStmt *op) {
    const Call *call = op->value.as<Call>();
    if (call && call->is_intrinsic(Call::if_then_else)) return IRMutator::visit(op);
    lets_.emplace_back(op->name, op->value);
    Stmt s = IRMutator::visit(op);
    lets_.pop_back();
    return s;
}

Halide::Expr ScopedPass::simplified(const Halide::Expr &e) const {
    return simplify(lower::resolve(lets_, e), true, bounds_);
}

Stmt ScopedPass::visit(const For *op) {
    ScopedBinding<Interval> bind(bounds_, op->name, Interval(op->min, Interval::pos_inf()));
    if (op->for_type != ForType::GPUBlock) return IRMutator::visit(op);
    lower::Lets host;
    host.swap(lets_);
    Stmt s = IRMutator::visit(op);
    host.swap(lets_);
    return s;
}

} // namespace ks
