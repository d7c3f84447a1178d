// SPDX-License-Identifier: Apache-2.0
// Where pass: the condition of a reduction domain around all that it decides.
//
// RDom::where() puts its condition right at the store, inside of the loops that a schedule unrolls, and
// stages computed there get conditions of their own (skip stages: "used"). Where it depends on one loop alone
// (or on serial loops: the innermost of them) it is moved to that loop, behind the tests for its end, and the
// others go: they follow from it.
#pragma once
#include "dsl/lowering_pass.h"

namespace ks {

class WherePass : public LoweringPass {
  public:
    // The condition is the one that loads `buffer`.
    explicit WherePass(std::string buffer) : buffer_(std::move(buffer)) {}

    void verify() const override; // it was met and placed

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::IfThenElse *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    void meet(const Halide::Expr &condition);
    Halide::Internal::Stmt around(const std::string &variable, const Halide::Internal::Stmt &body);

    std::string buffer_;
    Halide::Expr condition_;          // met inside and not yet placed
    std::vector<std::string> serial_; // loops around
    int placed_ = 0;
};

} // namespace ks
