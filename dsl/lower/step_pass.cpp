// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/step_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "dsl/recurrence/recurrence.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

Stmt store_if(Expr condition, const Stmt &store) {
    if (const Broadcast *b = condition.as<Broadcast>()) condition = b->value;
    if (!condition.type().is_scalar())
        throw Error("step pass", "whether a state is one differs between the lanes of a vector");
    return is_const_one(condition) ? store : IfThenElse::make(condition, store);
}

class StepInStore : public IRGraphMutator {
  public:
    StepInStore(const lower::Lets &lets, StepOrder order) : lets_(lets), order_(order) {}
    std::vector<Stmt> before;
    lower::Lets next; // of all_loads_first: the new states
    int updates = 0;

  private:
    using IRGraphMutator::visit;
    const lower::Lets &lets_;
    StepOrder order_;

    Expr visit(const Call *op) override {
        if (op->name == recurrence::touch_call) {
            for (auto &s : lower::prefetches(lets_, op)) before.push_back(s);
            return mutate(op->args[0]);
        }
        if (op->name != recurrence::carry_call) return IRGraphMutator::visit(op);
        Expr state = op->args[0];
        const Load *l =
            lower::load_behind(lets_, state, "step pass", "the state of a recurrence must be a load");
        Expr a = mutate(op->args[1]), x = mutate(op->args[2]);
        Expr value = a * state + x, result = state; // which is read once it is stored
        if (order_ == StepOrder::all_loads_first) {
            next.emplace_back(unique_name("next"), value);
            value = result = Variable::make(value.type(), next.back().first);
        }
        Stmt store = Store::make(l->name, value, l->index, l->param, l->predicate, l->alignment);
        if (op->args.size() > 3) store = store_if(lower::resolve(lets_, op->args[3]), store);
        before.push_back(store);
        updates++;
        return result;
    }
};

} // namespace

void StepPass::verify() const {
    if (updates_ == 0)
        throw Error("step execution of " + func_, "no state was updated: compute it in its own loop");
}

Stmt StepPass::visit(const Store *op) {
    // In a GPU thread Halide gives the Func registers of its own, named after it.
    if (op->name != func_ && !starts_with(op->name, func_ + ".")) return op;
    StepInStore rewrite(lets_, order_);
    Expr value = rewrite.mutate(substitute_in_all_lets(op->value));
    if (rewrite.before.empty()) return op;
    updates_ += rewrite.updates;
    rewrite.before.push_back(
        Store::make(op->name, value, op->index, op->param, op->predicate, op->alignment));
    Stmt made = Block::make(rewrite.before);
    for (size_t i = rewrite.next.size(); i-- > 0;)
        made = LetStmt::make(rewrite.next[i].first, rewrite.next[i].second, made);
    return made;
}

} // namespace ks
