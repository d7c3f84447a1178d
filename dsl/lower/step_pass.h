// SPDX-License-Identifier: Apache-2.0
// Step pass: ks_carry(load, a, x) becomes an update of the state's own memory, state = a*state + x, in front
// of the store that reads it. ks_touch becomes a prefetch.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <string>

namespace ks {

class StepPass : public ScopedPass {
  public:
    // Rewrites the stores of the Func named `func`.
    explicit StepPass(std::string func) : func_(std::move(func)) {}

    void verify() const override; // at least one state must have been updated
    int updates() const { return updates_; }

  private:
    using ScopedPass::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;

    std::string func_;
    int updates_ = 0;
};

} // namespace ks
