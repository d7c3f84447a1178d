// SPDX-License-Identifier: Apache-2.0
// Step pass: ks_carry(load, a, x) becomes an update of the state's own memory, state = a*state + x, in front
// of the store that reads it; under the condition of the call where it has one. ks_touch becomes a prefetch.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <string>

namespace ks {

// Of the states that one store reads. No compiler moves a load over the store of another state, so with
// state_by_state each waits for the memory before it; all_loads_first needs a register for each.
enum class StepOrder { state_by_state, all_loads_first };

class StepPass : public ScopedPass {
  public:
    // Rewrites the stores of the Func named `func`.
    explicit StepPass(std::string func, StepOrder order = StepOrder::state_by_state)
        : func_(std::move(func)), order_(order) {}

    void verify() const override; // at least one state must have been updated
    int updates() const { return updates_; }

  private:
    using ScopedPass::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;

    std::string func_;
    StepOrder order_;
    int updates_ = 0;
};

} // namespace ks
