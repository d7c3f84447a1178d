// SPDX-License-Identifier: Apache-2.0
// Storage types: what an operand is in memory. Arithmetic is always f32; bf16 and f16 are 16-bit unsigned
// storage, widened on load and rounded to nearest even on store, here and nowhere else. bf16 is done on the
// bits (Halide 21 cannot compile its casts on every target), f16 by casts, which become single instructions.
#pragma once
#include "Halide.h"
#include <string>

namespace ks {

enum class Storage { f32, bf16, f16 };

Storage storage_named(const std::string &name); // throws ks::Error for anything but f32, bf16, f16
const char *name_of(Storage s);
int bytes_of(Storage s);

// Type of the buffer that holds such an operand.
Halide::Type buffer_type(Storage s);

// From buffer element to f32. Exact; NaN and infinity are kept.
Halide::Expr widen(Storage s, const Halide::Expr &e);

// The same for bf16 in the form that Halide takes for an operand of a dot product: where the target has one,
// the sum of a pair of products of such values is its single instruction, summed in f32 with subnormals as
// zero.
Halide::Expr widen_for_dot(const Halide::Expr &e);

// From f32 to buffer element, round to nearest even. NaN stays NaN, infinity stays infinity, f16 overflows to
// infinity and keeps subnormals.
Halide::Expr narrow(Storage s, const Halide::Expr &e);

} // namespace ks
