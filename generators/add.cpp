// SPDX-License-Identifier: Apache-2.0
#include "generators/add.h"

namespace ks {
using namespace Halide;

namespace {

Contract add() {
    Contract c;
    c.name = "add";
    c.version = 2;
    c.summary = "sum of two matrices";
    c.dims = {{"T", 1, 1 << 24, false, "rows"}, {"H", 1, 1 << 20, true, "width of a row"}};
    c.operands = {
        {"a", Role::input, "f32", {"T", "H"}, true, "first term"},
        {"b", Role::input, "f32", {"T", "H"}, true, "second term"},
        {"y",
         Role::output,
         "f32",
         {"T", "H"},
         true,
         "a + b; may be exactly a: same address, same stride",
         0,
         "a"},
    };
    c.slice = "T";
    c.tolerance = {{"f32", 0}};
    c.non_finite = "As IEEE addition.";
    return c;
}

} // namespace

const Contract &add_contract() {
    static const Contract c = add();
    return c;
}

Add::Add(const Spec &spec) : operands(add_contract(), spec) {
    y(h, t) = operands.store("y", operands.load("a", {h, t}) + operands.load("b", {h, t}));
    operands.promise(y);
}

} // namespace ks
