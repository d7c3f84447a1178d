// SPDX-License-Identifier: Apache-2.0
// A lowering pass that knows the lets around the place it rewrites. Inside a GPU kernel those are the
// kernel's own: what the host worked out stays an argument of the kernel.
#pragma once
#include "dsl/lower/pseudo_calls.h"
#include "dsl/lowering_pass.h"

namespace ks {

class ScopedPass : public LoweringPass {
  protected:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    // With what is known of the lets and the first iterations of the loops around.
    Halide::Expr simplified(const Halide::Expr &e) const;

    lower::Lets lets_;

  private:
    Halide::Internal::Scope<Halide::Internal::Interval> bounds_;
};

} // namespace ks
