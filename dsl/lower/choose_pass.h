// SPDX-License-Identifier: Apache-2.0
// Choose pass: choose(condition, a, b) is one of two values of which only the chosen one is computed: a
// branch in the code, where select() would load both. It stands directly as the value of the Func that the
// pass is for.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <string>

namespace ks {

Halide::Expr choose(const Halide::Expr &condition, const Halide::Expr &a, const Halide::Expr &b);

class ChoosePass : public ScopedPass {
  public:
    explicit ChoosePass(std::string func) : func_(std::move(func)) {} // rewrites the stores of that Func

    void verify() const override; // something was chosen

  private:
    using ScopedPass::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;

    std::string func_;
    int choices_ = 0;
};

} // namespace ks
