// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/aligned_pass.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

constexpr int widest = 16; // bytes of one access, and what Operands::aligned(16) says of strides

bool is_stride(const std::string &name) { return name.find(".stride.") != std::string::npos; }

// The strides of buffers, as multiples of `unit` elements.
struct Strides : IRGraphVisitor {
    explicit Strides(int count) : unit(count) {}
    using IRGraphVisitor::visit;
    int unit;
    Scope<ModulusRemainder> known;
    void visit(const Variable *op) override {
        if (is_stride(op->name) && !known.contains(op->name)) known.push(op->name, ModulusRemainder(unit, 0));
    }
};

} // namespace

// The index of a dense vector of an operand that was found to be aligned; else undefined.
Expr AlignedPass::aligned(const std::string &buffer, const Type &type, const Expr &index,
                          const Parameter &operand) const {
    const Expr behind = index.as<Variable>() ? lower::resolve(lets_, index) : index;
    const Ramp *ramp = behind.as<Ramp>();
    if (!ramp || !ramp->base.type().is_scalar() || !is_const_one(ramp->stride) || own_.contains(buffer))
        return {};
    if (type.bytes() * type.lanes() > widest)
        throw Error("aligned pass", "a vector of " + buffer + " is wider than one access");
    Expr base = lower::resolve(lets_, ramp->base);
    // Of words made of halves an operand has two elements, which its strides count.
    const int elements = operand.defined() ? std::max(type.bytes() / operand.type().bytes(), 1) : 1;
    Strides strides(type.lanes() * elements);
    base.accept(&strides);
    ModulusRemainder at = modulus_remainder(base, strides.known);
    if (at.modulus % type.lanes() || at.remainder % type.lanes())
        throw Error("aligned pass", "a vector of " + buffer + " does not start at a multiple of its lanes");
    return behind;
}

Stmt AlignedPass::visit(const LetStmt *op) {
    if (is_stride(op->name)) return IRMutator::visit(op); // known as what it is
    lets_.emplace_back(op->name, op->value);
    Stmt s = IRMutator::visit(op);
    lets_.pop_back();
    return s;
}

Stmt AlignedPass::visit(const Allocate *op) {
    ScopedBinding<void> own(own_, op->name);
    return IRMutator::visit(op);
}

Stmt AlignedPass::visit(const Store *op) {
    Stmt s = IRMutator::visit(op);
    op = s.as<Store>();
    Expr index = aligned(op->name, op->value.type(), op->index, op->param);
    if (!index.defined()) return s;
    return Store::make(op->name, op->value, index, Parameter(),
                       op->predicate, // whose own alignment would count
                       ModulusRemainder(op->value.type().lanes(), 0));
}

Expr AlignedPass::visit(const Load *op) {
    Expr e = IRMutator::visit(op);
    op = e.as<Load>();
    Expr index = aligned(op->name, op->type, op->index, op->param);
    if (!index.defined()) return e;
    return Load::make(op->type, op->name, index, op->image, Parameter(), op->predicate,
                      ModulusRemainder(op->type.lanes(), 0));
}

} // namespace ks
