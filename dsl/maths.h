// SPDX-License-Identifier: Apache-2.0
// Elementary functions in f32, each with one accuracy contract, which tests/dsl/maths_test.cpp sweeps over
// all exponents against double precision. All exponentials are 2^x: a schedule folds log2(e) into a value
// that it stages anyway. Errors are relative; subnormal results may be off by their last bit or flushed to 0.
//
//   function     domain        maximum error          elsewhere
//   decay_exp2   x <= 0        2.0e-7                 x < -126: at most 2^-125; NaN: 2^-126
//   exp2         all           2.0e-7                 x >= 128: inf; x < -126: 0; NaN: NaN
//   exp          all           3.0e-7 + 7.5e-8 |x|    overflow: inf; underflow: 0; NaN: NaN
//   log2         x >= 2^-126   2.0e-7 + 2.0e-7 abs    zeros and subnormals of both signs: -inf; other x < 0,
//   NaN: NaN softplus     all           3.0e-7 + 7.5e-8 |x|    x >= 0: 3.0e-7; x < -80: 2.4e-35 abs; NaN: NaN
//   sigmoid      all           5.0e-7 + 7.5e-8 |x|    x >= 0: 5.0e-7; x < -80: 2e-35 abs; NaN: NaN
//   silu         |x| <= 80     6.0e-7 + 7.5e-8 |x|    x > 0: 6.0e-7; inf: inf; -inf: -inf; NaN: NaN
//   gelu_erf     x >= -9       1.5e-6 + 6e-8 x^2      x >= 0: 1.5e-6; x < -9: 1e-17 abs; -inf: 0; NaN: NaN
//   rsqrt        x >= 2^-126   1.5e-7                 0: inf
//
// The terms in |x| and x^2 are the one rounding of x log2(e): an absolute error in the exponent.
// On the special function unit of a GPU exp2 and decay_exp2 have 2.4e-7 (PTX ISA: ex2.approx, 2^-22), NaN
// stays NaN in both, and what is built on them has 1e-7 more.
#pragma once
#include "Halide.h"

namespace ks {

// How exp2 splits its argument into integer and fraction. Both give the same accuracy; which is faster
// depends on the machine, so a schedule chooses (reference: 512-bit x86 likes magic, 256-bit x86 likes
// round).
enum class Rounding { magic, round };

class Maths {
  public:
    explicit Maths(Rounding rounding = Rounding::magic) : rounding_(rounding) {}
    // For kernels that run on an NVIDIA GPU: 2^x, 1/x and 1/sqrt(x) are instructions there.
    static Maths special_function_unit();
    // The same where results are rounded to 16 bits. softplus in step_size() by two instructions of the unit,
    // absolute error 3e-7 (the rounding of 1 + e^x); with `tanh` also sigmoid by one, absolute error 2.5e-4,
    // instead of two.
    static Maths special_function_unit_for_16_bits(bool tanh);

    Halide::Expr decay_exp2(Halide::Expr x) const; // the fast form for decays: no check above 0
    Halide::Expr exp2(const Halide::Expr &x) const;
    Halide::Expr exp(const Halide::Expr &x) const;
    Halide::Expr log2(const Halide::Expr &x) const;
    Halide::Expr softplus(const Halide::Expr &x) const;
    // The step of a recurrence: softplus(x + bias) where `applies`, else x + bias; 0 where it does not
    // `exist`. (x or bias may be NaN there: then so may the step be.)
    Halide::Expr step_size(const Halide::Expr &x, const Halide::Expr &bias, const Halide::Expr &applies,
                           const Halide::Expr &exists) const;
    Halide::Expr sigmoid(const Halide::Expr &x) const;
    Halide::Expr silu(const Halide::Expr &x) const;
    Halide::Expr gelu_erf(const Halide::Expr &x) const; // x * Phi(x), the exact (erf) GELU
    Halide::Expr rsqrt(const Halide::Expr &x) const;

  private:
    Halide::Expr quotient(const Halide::Expr &a, const Halide::Expr &b) const; // b in [1, 2^126]

    Rounding rounding_;
    bool unit_ = false, short_softplus_ = false, by_tanh_ = false;
};

constexpr float log2_e = 1.44269504088896341f;
constexpr float ln_2 = 0.693147180559945309f;

} // namespace ks
