// SPDX-License-Identifier: Apache-2.0
// Turns pass: each turn of a loop works out its addresses anew. LLVM would keep one for every access in
// registers and step it from turn to turn: of a long body with many accesses these are more registers than all
// the rest.
#pragma once
#include "dsl/lowering_pass.h"

namespace ks {

class TurnsPass : public LoweringPass {
  public:
    explicit TurnsPass(std::string loop) : loop_(std::move(loop)) {} // name of its Var

    void verify() const override; // there is such a loop

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;

    std::string loop_;
    int loops_ = 0;
};

} // namespace ks
