// SPDX-License-Identifier: Apache-2.0
// Instructions of a GPU that Halide does not know, as pseudo-calls and what they expand to. All are there
// from sm_80 on. Sources: PTX ISA, "mma.sync.aligned.m16n8k8" (fragments), "tanh.approx", "cvt", "vote.sync",
// "redux.sync".
//
// A warp has lanes 4g + q. Both products have rows g and g + 8 of A in the registers of lane (g, q), column
// by column, and return column 2q + parity of the result, whose rows g and g + 8 are the low and the high
// word. Operands are tf32: what an f32 has beyond 10 bits of mantissa is cut off (a mean loss of 3.52e-4 of
// the value).
#pragma once
#include "Halide.h"
#include "dsl/ptx/text.h"

namespace ks::ptx {

// 16 x 16 times 16 x 8. `a`: rows (g, g + 8) of columns q, q + 4, q + 8, q + 12, a pair per column; `b`: rows
// q, q + 4, q + 8, q + 12 of column g. `parity` is 0 or 1 once loops are unrolled. UInt(64).
Halide::Expr mma_k16(const std::vector<Halide::Expr> &a, const std::vector<Halide::Expr> &b,
                     const Halide::Expr &parity);
// 16 x 8 times 8 x 8: half the columns of a, half the rows of b. `parity` may differ between lanes.
Halide::Expr mma_k8(const std::vector<Halide::Expr> &a, const std::vector<Halide::Expr> &b,
                    const Halide::Expr &parity);

// The sums of x and of y over the 4 lanes of a g, which all get both: the low and the high word. UInt(64).
// One mma of f32 accuracy: each value is split into what tf32 keeps and the rest (Ootomo & Yokota 2022, arXiv
// 2203.03341), of which it cuts off at most 3 * 2^-23 of the value; the weights are 1, so no third product is
// needed as in 3xTF32. The sum of eight is cut off, not rounded, at about 2^-24 of its largest term.
Halide::Expr quad_sums(const Halide::Expr &x, const Halide::Expr &y);

// Hyperbolic tangent, absolute error 2^-11.
Halide::Expr tanh_approx(const Halide::Expr &x);
// log2(x), absolute error 2^-22 near 1 (PTX ISA: lg2.approx.ftz).
Halide::Expr log2_approx(const Halide::Expr &x);
// 2^x for x <= 0 without the special function unit: relative error 2.5e-7, below -126: 2^-126.
Halide::Expr exp2_polynomial(const Halide::Expr &x);
// Two f32 rounded to nearest even, `low` in the low half. UInt(32).
Halide::Expr pack_bf16(const Halide::Expr &low, const Halide::Expr &high);
Halide::Expr pack_f16(const Halide::Expr &low, const Halide::Expr &high);

// Over the 32 lanes of a warp, all of which must come by: a bit for every lane whose condition holds,
// UInt(32), and the sum of an i32.
Halide::Expr ballot(const Halide::Expr &condition);
Halide::Expr warp_sum(const Halide::Expr &value);

// Of all of them, for DeviceCode::expansions.
const std::map<std::string, Expansion> &instructions();

} // namespace ks::ptx
