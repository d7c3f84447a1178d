// SPDX-License-Identifier: Apache-2.0
// Elementary functions in f32, each with one accuracy contract. All exponentials are 2^x: callers fold log2(e)
// into a value they stage anyway. Maximum errors are relative unless said otherwise; tests/dsl/maths_test.cpp
// sweeps each function over all exponents against double precision.
//
//   function     domain          maximum error          beyond the domain
//   decay_exp2   x <= 0          2.0e-7                 x < -126: 2^-126; NaN: 2^-126
//   exp2         all             2.0e-7 where normal    x >= 128: inf; x < -126: 0; NaN: NaN
//   exp          all             3.0e-7 + 6e-8 |x|      as exp2
//   log2         x >= 2^-126     2.0e-7 abs + 2.0e-7    0 and subnormals: -inf; negative, NaN: NaN; inf: inf
//   softplus     all             3.0e-7 (x >= -80)      x < -87: at most 2^-125 absolute; NaN: NaN
//   sigmoid      all             5.0e-7 (x >= -80)      -> 0 and 1; NaN: NaN
//   silu         all             6.0e-7 (|x| <= 80)     inf: inf; -inf, NaN: NaN
//   gelu_erf     all             1.5e-6 (x >= -9)       x < -9: 1e-17 absolute; inf: inf; -inf, NaN: NaN
//   rsqrt        x > 0           1.5e-7                 0: inf
#pragma once
#include "Halide.h"

namespace ks {

// How exp2 splits its argument into integer and fraction. Both give the same accuracy; which is faster depends
// on the machine, so a schedule chooses (reference: 512-bit x86 likes magic, 256-bit x86 likes round).
enum class Rounding { magic, round };

class Maths {
  public:
    explicit Maths(Rounding rounding = Rounding::magic) : rounding_(rounding) {}

    Halide::Expr decay_exp2(Halide::Expr x) const; // the fast form for decays: no check above 0
    Halide::Expr exp2(const Halide::Expr &x) const;
    Halide::Expr exp(const Halide::Expr &x) const;
    Halide::Expr log2(const Halide::Expr &x) const;
    Halide::Expr softplus(const Halide::Expr &x) const;
    Halide::Expr sigmoid(const Halide::Expr &x) const;
    Halide::Expr silu(const Halide::Expr &x) const;
    Halide::Expr gelu_erf(const Halide::Expr &x) const; // x * Phi(x), the exact (erf) GELU
    Halide::Expr rsqrt(const Halide::Expr &x) const;

  private:
    Rounding rounding_;
};

constexpr float log2_e = 1.44269504088896341f;
constexpr float ln_2 = 0.693147180559945309f;

} // namespace ks
