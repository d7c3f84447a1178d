// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/step_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include "dsl/recurrence/recurrence.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;
using namespace Halide::Internal;

namespace {

class StepInStore : public IRGraphMutator {
  public:
    explicit StepInStore(const lower::Lets &lets) : lets_(lets) {}
    std::vector<Stmt> before;
    int updates = 0;

  private:
    using IRGraphMutator::visit;
    const lower::Lets &lets_;

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
        before.push_back(Store::make(l->name, a * state + x, l->index, l->param, l->predicate, l->alignment));
        updates++;
        return state; // now reads the new value
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
    StepInStore rewrite(lets_);
    Expr value = rewrite.mutate(substitute_in_all_lets(op->value));
    if (rewrite.before.empty()) return op;
    updates_ += rewrite.updates;
    rewrite.before.push_back(
        Store::make(op->name, value, op->index, op->param, op->predicate, op->alignment));
    return Block::make(rewrite.before);
}

} // namespace ks
