// SPDX-License-Identifier: Apache-2.0
// Registers pass: arrays that a block declares and its threads share out.
//
// A Func stored in registers at the level of a block is, to Halide, one whole array in every thread, of which
// each thread uses its own part: local memory, unless LLVM happens to see through it, and wrong numbers
// should a thread read what another one wrote. Where every access lies a constant number of elements from the
// first one, a thread meets only its own elements, and the array becomes as small as that part, with constant
// indices: registers.
#pragma once
#include "dsl/lower/scoped_pass.h"

namespace ks {

class RegistersPass : public ScopedPass {
  public:
    // At least one array must have been met. Rewriting throws ks::Error for an access elsewhere.
    void verify() const override;

  private:
    using ScopedPass::visit;
    struct Array {
        bool measured = false;
        Halide::Expr first;    // index of the first access
        int low = 0, high = 0; // of all accesses, from the first one
    };
    std::map<std::string, Array> arrays_; // in whose body the pass is
    bool met_ = false;

    Halide::Internal::Stmt visit(const Halide::Internal::Allocate *op) override;
    Halide::Expr visit(const Halide::Internal::Load *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Expr index_of(const std::string &name, Array &array, const Halide::Expr &index);
};

} // namespace ks
