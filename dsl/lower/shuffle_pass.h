// SPDX-License-Identifier: Apache-2.0
// Shuffle pass: a value of another lane of the warp. The algorithm says in which lane it believes to be; the
// pass proves that it is there, that the warp is whole, and that all its lanes come by, and puts the
// instruction in. LLVM knows these instructions, and leaves them where all lanes meet.
#pragma once
#include "dsl/lower/scoped_pass.h"

namespace ks {

// Of the lane `distance` before; a lane that has none before it gets its own.
Halide::Expr shuffle_up(const Halide::Expr &value, const Halide::Expr &lane, int distance);
// Of the lane `distance` before, in a circle.
Halide::Expr shuffle_around(const Halide::Expr &value, const Halide::Expr &lane, int distance);
// One of two values, which all lanes work out both: under select() Halide leaves a shuffle to the lanes that
// use it.
Halide::Expr select_by_lane(const Halide::Expr &condition, const Halide::Expr &a, const Halide::Expr &b);

class ShufflePass : public LoweringPass {
  public:
    void verify() const override; // there was a shuffle

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::IfThenElse *op) override;
    Halide::Expr visit(const Halide::Internal::Call *op) override;

    Halide::Expr simplified(const Halide::Expr &e) const;
    bool differs_between_lanes(const Halide::Expr &e) const;

    lower::Lets lets_;
    Halide::Internal::Scope<Halide::Internal::Interval> threads_; // and what is known of them
    std::string lane_;                                            // of the threads around, the first
    bool apart_ = false;                                          // not all lanes come by
    int shuffles_ = 0;
};

} // namespace ks
