// SPDX-License-Identifier: Apache-2.0
// Step pass: ks_carry(load, a, x) becomes an update of the state's own memory, state = a*state + x, in front
// of the store that reads it. ks_touch becomes a prefetch.
#pragma once
#include "dsl/lower/pseudo_calls.h"
#include "dsl/lowering_pass.h"
#include <string>

namespace ks {

class StepPass : public LoweringPass {
  public:
    // Rewrites the stores of the Func named `func`.
    explicit StepPass(std::string func) : func_(std::move(func)) {}

    void verify() const override; // at least one state must have been updated
    int updates() const { return updates_; }

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    std::string func_;
    int updates_ = 0;
    lower::Lets lets_;
};

} // namespace ks
