// SPDX-License-Identifier: Apache-2.0
// Argmax over a row: the largest value, the lowest index among equals; NaN never wins (index 0 when all are
// NaN).
#pragma once
#include "Halide.h"

namespace ks {

// An integer that orders as the value does: -0 and 0 are equal, every NaN lies below -infinity. By bits,
// since under fast-math a comparison may take NaN for absent.
inline Halide::Expr order_key(const Halide::Expr &value) {
    using namespace Halide;
    Expr bits = reinterpret<int32_t>(value), magnitude = bits & 0x7fffffff;
    Expr key = select(bits < 0, -magnitude, bits);
    return select(magnitude > 0x7f800000, Int(32).min(), key);
}

// best(row) = {key, column}, over columns 0 .. columns-1 of value(column, row).
inline Halide::Func argmax_of(const Halide::Func &value, const Halide::Var &row,
                              const Halide::Expr &columns) {
    using namespace Halide;
    Func best("best");
    RDom column(0, columns, "column");
    best(row) = Tuple(Int(32).min(), 0);
    Expr key = order_key(value(column, row)), better = key > best(row)[0];
    best(row) = Tuple(select(better, key, best(row)[0]), select(better, Expr(column), best(row)[1]));
    return best;
}

} // namespace ks
