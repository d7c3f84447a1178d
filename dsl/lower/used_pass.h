// SPDX-License-Identifier: Apache-2.0
// Used pass: conditions that hold in every block of a grid. Halide asks in front of each stage whether the
// block has an element at all that it is for, and cannot know that a grid has no other blocks; behind such a
// branch loads wait for all that stands before it. Whatever follows from the size of the grid alone is taken
// for true.
#pragma once
#include "dsl/lower/pseudo_calls.h"
#include "dsl/lowering_pass.h"

namespace ks {

class UsedPass : public LoweringPass {
  public:
    void verify() const override {} // whole blocks raise no question

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::IfThenElse *op) override;

    bool holds(const Halide::Expr &condition) const;

    lower::Lets lets_;                                       // the host's too: it works out the grid
    std::vector<std::pair<std::string, Halide::Expr>> last_; // of each dimension of the grid, the last block
};

} // namespace ks
