// SPDX-License-Identifier: Apache-2.0
// Words pass: 16-bit elements by twos, as words of 32 bits, so that a kernel whose operands are 16 bits wide
// makes 32-bit and 16-byte accesses; f32 as words of one element, which are stored by twos. To the algorithm
// the buffers stay what their contract says.
//
//   word_at(load)               of 16 bits: the word whose low half is the element that is loaded and whose
//                               high half is the next; of 32 bits: the element
//   low_half(w), high_half(w)   stored to elements 2i and 2i + 1, one right after the other: one store of w
//
// Element 2i must be aligned to a pair; a vector of 4 words to 16 bytes. What is known at compile time is
// checked (the first element of a pair has a constant parity of 0), the pointer and the strides are the
// caller's promise.
#pragma once
#include "dsl/lower/scoped_pass.h"

namespace ks {

Halide::Expr word_at(const Halide::Expr &element); // UInt(32), of a load of 16 or 32 bits
Halide::Expr low_half(const Halide::Expr &word);   // UInt(16) of UInt(32), Float(32) of UInt(64)
Halide::Expr high_half(const Halide::Expr &word);
Halide::Expr pair_f32(const Halide::Expr &low, const Halide::Expr &high); // UInt(64)

class WordsPass : public ScopedPass {
  public:
    void verify() const override; // every half was stored with its other half
    int loads() const { return loads_; }
    int stores() const { return stores_; }

  private:
    using ScopedPass::visit;
    Halide::Expr visit(const Halide::Internal::Call *op) override;
    Halide::Internal::Stmt visit(const Halide::Internal::Store *op) override;

    int loads_ = 0, stores_ = 0, dropped_ = 0;
    std::string last_buffer_;
    Halide::Expr last_index_;
};

} // namespace ks
