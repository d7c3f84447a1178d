// SPDX-License-Identifier: Apache-2.0
// Aligned pass: tells LLVM that vector loads and stores of operands start at a multiple of their own size, so
// that each becomes one instruction. For kernels whose vectors stand under Operands::aligned() alone: there
// every row stride is a multiple of 16 bytes, and the pass checks that the rest of each index is a multiple
// of the lanes.
#pragma once
#include "dsl/lower/pseudo_calls.h"
#include "dsl/lowering_pass.h"

namespace ks {

class AlignedPass : public LoweringPass {
  public:
    void verify() const override {} // a spec may have no vectors

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Allocate *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Expr visit(const Halide::Internal::Load *op) override;

    Halide::Expr aligned(const std::string &buffer, const Halide::Type &type, const Halide::Expr &index,
                         const Halide::Parameter &operand) const;

    lower::Lets lets_;              // the host's too: it works out multiples of strides
    Halide::Internal::Scope<> own_; // memory of the kernel, which Halide aligns
};

} // namespace ks
