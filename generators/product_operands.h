// SPDX-License-Identifier: Apache-2.0
// Operands of products with weights in rows of K: how they are read, what is promised of them.
#pragma once
#include "Halide.h"
#include <vector>

namespace ks {

enum class Reads {
    exact,   // operands are aligned to 4 bytes at least, as those of kernels with fixed widths are
    clamped, // what lies beyond an extent is read as the last, for stages that load whole tiles
};

// The place `i` along an extent.
Halide::Expr within(Reads reads, const Halide::Expr &i, const Halide::Expr &extent);

// The innermost extents of a buffer, rows without gaps, and an address of whole 16 bytes: the strides that
// follow from them, also that of the next dimension, whose extent stays open.
void promise_no_gaps(Halide::OutputImageParam buffer, const std::vector<Halide::Expr> &extents);

} // namespace ks
