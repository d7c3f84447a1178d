// SPDX-License-Identifier: Apache-2.0
// Pack pass: conversions from f32 to 16 bits on a GPU. They round to nearest even, as storage.h does; NaN
// becomes the quiet NaN 0x7fff. A vector of them becomes instructions for pairs (dsl/ptx/instructions.h),
// whose expansions the kernel needs. A vector of bf16 is widened by words, an instruction an element.
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/storage.h"

namespace ks {

class PackPass : public LoweringPass {
  public:
    static Halide::Expr narrow(Storage s, const Halide::Expr &value); // UInt(16); bf16 or f16

    void verify() const override {} // an op may store f32

  private:
    using IRMutator::visit;
    Halide::Expr visit(const Halide::Internal::Call *op) override;
    Halide::Expr visit(const Halide::Internal::Reinterpret *op) override;
};

} // namespace ks
