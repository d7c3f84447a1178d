// SPDX-License-Identifier: Apache-2.0
// mma.sync m16n8k16 on operands that a thread loads 16 or 8 bytes at a time, as opaque fragments in
// registers. Source: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
//
// The order of k within a sum is free: of vectors of 8 lane 4g + q takes elements 8q .. 8q + 7 of 32, of
// weight rows g and g + 8 and of row g of x, where two instructions want elements 2q, 2q + 1, 2q + 8 and 2q +
// 9 of 16 each. Of the result it has rows g and g + 8, columns 2q and 2q + 1.
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/storage.h"
#include <map>

namespace ks::tile {

// The fragment that has `low` (f32) in all of row g and `high` in row g + 8. `lane` is any expression that
// differs between threads. UInt(128), like the others.
Halide::Expr row_mma_start(const Halide::Expr &lane, const Halide::Expr &low, const Halide::Expr &high);
// `sums` plus the product over four vectors of k. Two or four words (UInt(32)) of each operand: `low` is of
// weight row g, `high` of row g + 8.
Halide::Expr row_mma(Storage storage, const Halide::Expr &sums, const std::vector<Halide::Expr> &low,
                     const std::vector<Halide::Expr> &high, const std::vector<Halide::Expr> &x);
// The f32 in row g + 8 half, column 2q + odd of a fragment; both constants once loops are unrolled.
Halide::Expr row_mma_element(const Halide::Expr &sums, const Halide::Expr &half, const Halide::Expr &odd);

// What these become in the PTX.
std::map<std::string, ptx::Expansion> row_mma_expansions();

} // namespace ks::tile
