// SPDX-License-Identifier: Apache-2.0
#include "generators/gather_rows.h"

namespace ks {
using namespace Halide;

namespace {

Contract gather_rows() {
    Contract c;
    c.name = "gather_rows";
    c.version = 2;
    c.summary = "listed rows of a matrix, side by side";
    c.dims = {
        {"T", 1, 1 << 24, false, "rows of x"},
        {"R", 1, 1 << 24, false, "rows listed"},
        {"K", 1, 1 << 20, true, "width of a row"},
    };
    c.operands = {
        {"x", Role::input, "f32", {"T", "K"}, true, "matrix"},
        {"rows", Role::input, "i32", {"R"}, false, "rows to take; beyond x they pick its first or last row"},
        {"y", Role::output, "io", {"R", "K"}, true, "picked rows in the order of the list"},
    };
    c.slice = "R";
    c.choices = {{"io", {"f32", "bf16"}}};
    c.tolerance = {{"f32", 0}, {"bf16", 4e-3}};
    c.non_finite = "NaN and infinity are kept.";
    return c;
}

} // namespace

const Contract &gather_rows_contract() {
    static const Contract c = gather_rows();
    return c;
}

GatherRows::GatherRows(const Spec &spec) : operands(gather_rows_contract(), spec) {
    Expr row = clamp(operands.load("rows", {r}), 0, operands.buffer("x").dim(1).extent() - 1);
    y(k, r) = operands.store("y", operands.load("x", {k, row}));
    operands.promise(y);
}

} // namespace ks
