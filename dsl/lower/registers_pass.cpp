// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/registers_pass.h"
#include "runtime/base/error.h"
#include <algorithm>

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

void RegistersPass::verify() const {
    if (!met_) throw Error("registers pass", "no array is stored in registers");
}

Stmt RegistersPass::visit(const Allocate *op) {
    if (op->memory_type != MemoryType::Register) return ScopedPass::visit(op);
    met_ = true;
    Array &array = arrays_[op->name];
    mutate(op->body);
    array.measured = true;
    Stmt body = mutate(op->body);
    int size = array.high - array.low + 1;
    arrays_.erase(op->name);
    return Allocate::make(op->name, op->type, op->memory_type, {size}, op->condition, body, op->new_expr,
                          op->free_function);
}

// Measures, or gives the index in the smaller array.
Expr RegistersPass::index_of(const std::string &name, Array &array, const Expr &index) {
    if (const Ramp *r = index.as<Ramp>(); r && is_const_one(r->stride)) {
        Expr base = index_of(name, array, r->base);
        index_of(name, array, r->base + (r->lanes - 1));
        return Ramp::make(base, 1, r->lanes);
    }
    Expr resolved = lower::resolve(lets_, index);
    if (!array.first.defined()) array.first = resolved;
    auto step = as_const_int(simplify(resolved - array.first));
    if (!step)
        throw Error("registers pass", "a thread's elements of " + name + " are not numbered by constants");
    if (array.measured) return static_cast<int>(*step) - array.low;
    array.low = std::min(array.low, static_cast<int>(*step));
    array.high = std::max(array.high, static_cast<int>(*step));
    return index;
}

Expr RegistersPass::visit(const Load *op) {
    auto array = arrays_.find(op->name);
    if (array == arrays_.end()) return ScopedPass::visit(op);
    return Load::make(op->type, op->name, index_of(op->name, array->second, op->index), op->image, op->param,
                      op->predicate, ModulusRemainder());
}

Stmt RegistersPass::visit(const Store *op) {
    auto array = arrays_.find(op->name);
    if (array == arrays_.end()) return ScopedPass::visit(op);
    Expr value = mutate(op->value);
    return Store::make(op->name, value, index_of(op->name, array->second, op->index), op->param,
                       op->predicate, ModulusRemainder());
}

} // namespace ks
