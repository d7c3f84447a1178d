// SPDX-License-Identifier: Apache-2.0
// Loads-first pass: a GPU thread that walks no loop asks for all that it reads from memory before it computes
// or stores anything, so that it waits for memory once. (LLVM and ptxas leave loads about where they stand,
// behind what does not need them and always behind stores to the same buffer.) For kernels that read no place
// after they have written it. What is read under a condition stays where it is; kernels with loops stay as
// they are.
#pragma once
#include "dsl/lowering_pass.h"

namespace ks {

class LoadsFirstPass : public LoweringPass {
  public:
    void verify() const override; // loads were moved in some kernel

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    int loads_ = 0;
};

} // namespace ks
