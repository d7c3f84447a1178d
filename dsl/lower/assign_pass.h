// SPDX-License-Identifier: Apache-2.0
// Assign pass: memory that an op updates in place.
//
// assign(value, {{place, next}, ...}) stands for `value`; the pass stores every `next` to the memory that its
// `place` loads, as one simultaneous assignment: all of `value`, the nexts and a scalar store index are
// computed from the old contents first. To Halide the places are ordinary inputs, so the schedule must see to
// the order of everything else: a stage that reads the new contents depends on the assigning one, and none is
// run twice.
#pragma once
#include "dsl/lower/pseudo_calls.h"
#include "dsl/lowering_pass.h"
#include <string>
#include <utility>
#include <vector>

namespace ks {

using Assignment = std::pair<Halide::Expr, Halide::Expr>; // a load, and what its place holds afterwards

Halide::Expr assign(const Halide::Expr &value, const std::vector<Assignment> &places);

class AssignPass : public LoweringPass {
  public:
    // Rewrites the stores of the Func named `func`.
    explicit AssignPass(std::string func) : func_(std::move(func)) {}

    void verify() const override; // at least one place must have been assigned
    int assignments() const { return assignments_; }

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;

    std::string func_;
    int assignments_ = 0;
    lower::Lets lets_;
};

} // namespace ks
