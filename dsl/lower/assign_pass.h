// SPDX-License-Identifier: Apache-2.0
// Assign pass: memory that an op updates in place.
//
// assign(value, {{place, next}, ...}) stands for `value`; the pass stores every `next` to the memory that its
// `place` loads, as one simultaneous assignment: all of `value`, the nexts and a scalar store index are
// computed from the old contents first. To Halide the places are ordinary inputs, so the schedule must see to
// the order of everything else: a stage that reads the new contents depends on the assigning one, and none is
// run twice.
#pragma once
#include "dsl/lower/scoped_pass.h"
#include <string>
#include <utility>
#include <vector>

namespace ks {

using Assignment = std::pair<Halide::Expr, Halide::Expr>; // a load, and what its place holds afterwards

// With a condition the places change only where it holds; `value` stands everywhere.
Halide::Expr assign(const Halide::Expr &value, const std::vector<Assignment> &places,
                    const Halide::Expr &condition = Halide::Internal::const_true());

class AssignPass : public ScopedPass {
  public:
    // Rewrites the stores of the Func named `func`.
    explicit AssignPass(std::string func) : func_(std::move(func)) {}

    void verify() const override; // at least one place must have been assigned
    int assignments() const { return assignments_; }

  private:
    using ScopedPass::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::ProducerConsumer *op) override;

    std::string func_,
        producing_; // not by the name of what is stored to: Halide packs shared memory of a GPU
    int assignments_ = 0;
};

} // namespace ks
