// SPDX-License-Identifier: Apache-2.0
// Sequence pass: gives a packed kernel (dsl/operands.h) its sequences. The algorithm is written for step 0,
// 1, ... of one sequence; the rows of all of them lie one after the other. Inside the kernel, where the block
// index says which sequence it is, the first row and the number of steps are worked out once, and then
//   - the pseudo-calls that stand for them become those values;
//   - the length of the ragged axis, up to which loops run and tails are guarded, becomes the number of
//   steps;
//   - rows of the output move by the first row (their sequence stride is 0).
// So no block walks further than its sequence is long, whatever the longest is.
#pragma once
#include "dsl/lowering_pass.h"
#include <map>

namespace ks {

class SequencePass : public LoweringPass {
  public:
    // Pseudo-calls (sequence, equal, start, next): the first row and the number of steps of a sequence.
    // `equal` != 0 is the number of steps of all; else `start` and `next` count, loads from seq_start that
    // are not made otherwise.
    static constexpr const char *first_call = "ks_sequence_first", *steps_call = "ks_sequence_steps";

    // `output`: name of the Func; `dimension`: which of its dimensions is the ragged axis.
    SequencePass(std::string output, int dimension)
        : output_(std::move(output)),
          length_(output_ + ".extent." + std::to_string(dimension)),
          stride_(output_ + ".stride." + std::to_string(dimension)) {}

    void verify() const override; // there was a kernel, and it stored the output

  private:
    using IRMutator::visit;
    Halide::Internal::Stmt visit(const Halide::Internal::LetStmt *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::For *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;
    Halide::Expr visit(const Halide::Internal::Call *op) override;
    Halide::Expr visit(const Halide::Internal::Variable *op) override;

    Halide::Internal::Stmt kernel_body(const Halide::Internal::Stmt &body);

    std::string output_, length_, stride_;
    std::map<std::string, Halide::Expr> lengths_; // lets outside the kernel that depend on the ragged axis
    bool inside_ = false;
    int kernels_ = 0, stores_ = 0;
};

} // namespace ks
