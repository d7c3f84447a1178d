// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/turns_pass.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

void TurnsPass::verify() const {
    if (!loops_) throw Error("turns pass", "no loop over " + loop_ + " is left");
}

// Nothing is known of a turn's number that went through a call.
Stmt TurnsPass::visit(const For *op) {
    if (!ends_with(op->name, "." + loop_) || op->for_type != ForType::Serial) return IRMutator::visit(op);
    loops_++;
    const std::string opaque = op->name + ".opaque";
    Expr turn = pseudo_call(Int(32), "ks_turn", {Variable::make(Int(32), op->name)});
    Stmt body = substitute(op->name, Variable::make(Int(32), opaque), mutate(op->body));
    return For::make(op->name, op->min, op->extent, op->for_type, op->partition_policy, op->device_api,
                     LetStmt::make(opaque, turn, body));
}

} // namespace ks
