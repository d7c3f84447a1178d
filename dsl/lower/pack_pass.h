// SPDX-License-Identifier: Apache-2.0
// Pack pass: conversions from f32 to bf16 on a GPU. to_bf16() rounds to nearest even, as storage.h does; NaN
// becomes the quiet NaN 0x7fff. A vector of them becomes the instruction for pairs (cvt.rn.bf16x2.f32).
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/ptx/text.h"
#include <map>

namespace ks {

class PackPass : public LoweringPass {
  public:
    static Halide::Expr to_bf16(const Halide::Expr &value); // UInt(16)

    // What the conversions become in the PTX.
    static std::map<std::string, ptx::Expansion> expansions();

    void verify() const override {} // an op may store f32

  private:
    using IRMutator::visit;
    Halide::Expr visit(const Halide::Internal::Call *op) override;
};

} // namespace ks
