// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/choose_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {
const char *const choose_call = "ks_choose"; // (condition, a, b)
} // namespace

Expr choose(const Expr &condition, const Expr &a, const Expr &b) {
    return pseudo_call(a.type(), choose_call, {condition, a, b});
}

void ChoosePass::verify() const {
    if (choices_ == 0) throw Error("choose pass of " + func_, "nothing was chosen: do not inline it");
}

Stmt ChoosePass::visit(const LetStmt *op) {
    const Call *call = op->value.as<Call>();
    return call && call->name == choose_call ? mutate(substitute(op->name, op->value, op->body))
                                             : ScopedPass::visit(op);
}

Stmt ChoosePass::visit(const Store *op) {
    const Call *call = op->value.as<Call>();
    if (!call || call->name != choose_call || (op->name != func_ && !starts_with(op->name, func_ + ".")))
        return op;
    choices_++;
    Expr condition = call->args[0];
    if (const Broadcast *b = condition.as<Broadcast>()) condition = b->value;
    if (!condition.type().is_scalar())
        throw Error("choose pass of " + func_, "the condition differs between the lanes of a vector");
    auto store = [&](const Expr &value) {
        return Store::make(op->name, value, op->index, op->param, op->predicate, op->alignment);
    };
    condition = simplified(condition);
    if (is_const_zero(condition)) return store(call->args[2]);
    if (is_const_one(condition)) return store(call->args[1]);
    return IfThenElse::make(condition, store(call->args[1]), store(call->args[2]));
}

} // namespace ks
