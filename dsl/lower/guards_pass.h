// SPDX-License-Identifier: Apache-2.0
// Guards pass: one test for the tail of an unrolled loop.
//
// A split that ends in GuardWithIf, unrolled, is a chain of nested tests, one a step; LLVM then moves the
// loads and the arithmetic of each step behind its test, and one latency after the other is exposed. The
// chain becomes: if (the last step exists) { all steps, no tests } else { the chain }.
#pragma once
#include "dsl/lower/scoped_pass.h"

namespace ks {

class GuardsPass : public ScopedPass {
  public:
    // Rewrites chains inside loops over `var` of the Func named `func`.
    GuardsPass(std::string func, std::string var) : func_(std::move(func)), var_(std::move(var)) {}

    void verify() const override; // at least one chain must have been found
    int chains() const { return chains_; }

  private:
    using ScopedPass::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::IfThenElse *op) override;

    std::string func_, var_;
    bool inside_ = false;
    int chains_ = 0;
};

} // namespace ks
