// SPDX-License-Identifier: Apache-2.0
#include "generators/embedding.h"

namespace ks {
using namespace Halide;

namespace {

Contract embedding() {
    Contract c;
    c.name = "embedding";
    c.version = 1;
    c.summary = "rows of a table picked by token ids";
    c.dims = {
        {"T", 1, 1 << 24, false, "tokens"},
        {"V", 1, 1 << 24, true, "rows of the table (vocabulary)"},
        {"H", 1, 1 << 20, true, "width of a row"},
    };
    c.operands = {
        {"ids",
         Role::input,
         "i32",
         {"T"},
         false,
         "token ids; beyond the table they pick its first or last row"},
        {"table", Role::input, "weight", {"V", "H"}, true, "embedding, less than 2^31 elements"},
        {"y", Role::output, "f32", {"T", "H"}, true, "picked rows"},
    };
    c.slice = "T";
    c.choices = {{"weight", {"f32", "bf16", "f16"}}};
    c.tolerance = {{"f32", 0}, {"bf16", 0}, {"f16", 0}};
    c.non_finite = "NaN and infinity are copied.";
    return c;
}

} // namespace

const Contract &embedding_contract() {
    static const Contract c = embedding();
    return c;
}

Embedding::Embedding(const Spec &spec) : operands(embedding_contract(), spec) {
    Expr id = clamp(operands.buffer("ids")(t), 0, operands.width("V", "table") - 1);
    y(h, t) = operands.store("y", operands.load("table", {h, id}));
    operands.promise(y);
}

} // namespace ks
