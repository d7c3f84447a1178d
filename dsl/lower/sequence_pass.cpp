// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/sequence_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

const char *const first_name = "ks_sequence.first", *const steps_name = "ks_sequence.steps";

// The arguments of the pseudo-calls of a kernel, which are the same in all, in terms of the block indices.
struct FindCall : IRVisitor {
    using IRVisitor::visit;
    std::vector<Expr> args;

    void visit(const LetStmt *op) override {
        lets_.emplace_back(op->name, op->value);
        IRVisitor::visit(op);
        lets_.pop_back();
    }
    void visit(const Call *op) override {
        IRVisitor::visit(op);
        if (!args.empty() || (op->name != SequencePass::first_call && op->name != SequencePass::steps_call))
            return;
        for (const Expr &a : op->args) args.push_back(lower::resolve(lets_, a));
    }

  private:
    lower::Lets lets_;
};

bool is_block(const For *op) { return op->for_type == ForType::GPUBlock; }

// seq_start is read only where it counts: it may be no memory at all otherwise.
Expr choose(const Expr &equal, const Expr &value, const Expr &loaded) {
    return Call::make(Int(32), Call::if_then_else, {equal != 0, value, cast<int32_t>(loaded)},
                      Call::PureIntrinsic);
}

} // namespace

void SequencePass::verify() const {
    if (kernels_ == 0 || stores_ == 0)
        throw Error("sequences of " + output_,
                    "no GPU kernel stores the output: what walks them must be one");
}

Stmt SequencePass::visit(const LetStmt *op) {
    if (inside_) return IRMutator::visit(op);
    Expr value = substitute(lengths_, op->value);
    if (expr_uses_var(value, length_)) lengths_[op->name] = value;
    return IRMutator::visit(op);
}

Stmt SequencePass::visit(const For *op) {
    if (inside_ || !is_block(op)) return IRMutator::visit(op);
    Stmt body = op->body;
    const For *inner = body.as<For>();
    if (inner && is_block(inner)) return IRMutator::visit(op);
    return For::make(op->name, op->min, op->extent, op->for_type, op->partition_policy, op->device_api,
                     kernel_body(body));
}

Stmt SequencePass::kernel_body(const Stmt &body) {
    FindCall call;
    body.accept(&call);
    if (call.args.empty()) throw Error("sequences of " + output_, "its kernel loads no row of a sequence");
    inside_ = true;
    kernels_++;
    Stmt made = mutate(substitute(lengths_, body));
    inside_ = false;
    Expr sequence = call.args[0], equal = call.args[1], start = call.args[2], next = call.args[3];
    made = LetStmt::make(steps_name, choose(equal, equal, next - start), made);
    return LetStmt::make(first_name, choose(equal, sequence * equal, start), made);
}

Stmt SequencePass::visit(const Store *op) {
    if (!inside_ || op->name != output_) return IRMutator::visit(op);
    stores_++;
    Expr offset = Variable::make(Int(32), first_name) * Variable::make(Int(32), stride_);
    Expr index = mutate(op->index);
    if (index.type().is_vector()) offset = Broadcast::make(offset, index.type().lanes());
    return Store::make(op->name, mutate(op->value), simplify(index + offset), op->param,
                       mutate(op->predicate), ModulusRemainder());
}

Expr SequencePass::visit(const Call *op) {
    if (!inside_) return IRMutator::visit(op);
    if (op->name == first_call) return Variable::make(Int(32), first_name);
    if (op->name == steps_call) return Variable::make(Int(32), steps_name);
    return IRMutator::visit(op);
}

Expr SequencePass::visit(const Variable *op) {
    return inside_ && op->name == length_ ? Variable::make(Int(32), steps_name) : Expr(op);
}

} // namespace ks
