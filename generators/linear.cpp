// SPDX-License-Identifier: Apache-2.0
#include "generators/linear.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;

const Contract &linear_contract() {
    static const Contract contract = [] {
        Contract c;
        c.name = "linear";
        c.version = 3;
        c.summary = "matrix product y = x W^T + bias with weights packed in panels, or as they are";
        c.dims = {
            {"M", 1, 1 << 24, false, "rows"},
            {"K", 1, 1 << 20, true, "input width"},
            {"P", 1, 1 << 20, true, "panels: output width over the lanes of a panel, rounded up"},
        };
        c.operands = {
            {"x", Role::input, "io", {"M", "K"}, true, "input"},
            {"w",
             Role::input,
             "weight",
             {"P", "K", "panel"},
             false,
             "w[p][k][i] is W[p * panel + i][k]; for io = bf16 k goes in pairs, w[p][k / 2][i][k % 2], and "
             "the last of an odd K follows as [i]; lanes beyond the output width are zero. Panels of 1 are W "
             "itself, row by row: the form of GPUs, as the others are of CPUs"},
            {"bias",
             Role::optional,
             "f32",
             {"P", "panel"},
             false,
             "added in f32; without it nothing of it is read",
             linear_bias,
             "w"},
            {"y", Role::output, "out", {"M", "P", "panel"}, true, "output, lanes beyond the width included"},
        };
        c.scalars = {{"flags", "i32", "set by the presence of bias"}};
        c.slice = "P";
        c.choices = {{"io", {"f32", "bf16", "f16"}},
                     {"weight", {"f32", "bf16", "f16"}},
                     {"out", {"f32", "bf16", "f16"}},
                     {"panel", {"16", "32", "64", "1"}}};
        // Operands are widened exactly, so the error is that of an f32 sum and of the output's rounding.
        c.tolerance = {{"f32", 1e-5}, {"bf16", 4e-3}, {"f16", 5e-4}};
        c.dense_when_fixed = true;
        c.non_finite =
            "as the sum of products in f32 gives it: NaN in a row of x stays in that row of y, NaN in a "
            "weight or bias in that column";
        return c;
    }();
    return contract;
}

void take_product(PanelProduct::Terms &t, const Operands &in, const std::string &x) {
    bool parts = in.contract().choices.count("halves");
    auto place = [=](const Expr &lane, const Expr &part, const Expr &k, const Expr &panel) {
        return parts ? std::vector<Expr>{lane, part, k, panel} : std::vector<Expr>{lane, k, panel};
    };
    t.weights = in.buffer("w");
    t.x = [=](const Expr &k, const Expr &row) { return in.load(x, {k, row}); };
    t.w = [=](const Expr &lane, const Expr &part, const Expr &k, const Expr &panel) {
        return in.load("w", place(lane, part, k, panel));
    };
    if (in.spec().choice("io") != "bf16") return;
    if (in.spec().choice("weight") != "bf16")
        throw Error(in.contract().name, "io=bf16 is multiplied by weight=bf16 alone");
    t.x_of_pair = [=](const Expr &k, const Expr &row) { return in.load_for_dot(x, {k, row}); };
    t.w_of_pair = [=](const Expr &lane, const Expr &part, const Expr &k, const Expr &panel) {
        return in.load_for_dot("w", place(lane, part, k, panel));
    };
}

void promise_packed(ImageParam w, int lanes) {
    w.dim(0).set_extent(lanes);
    w.dim(1).set_stride(lanes);
}

namespace {

PanelProduct::Terms terms(const Operands &in) {
    Expr has_bias = (in.scalar("flags") & int(linear_bias)) != 0;
    PanelProduct::Terms t;
    t.K = in.width("K", "x");
    t.initial = [=](const Expr &lane, const Expr &panel) {
        return Internal::Call::make(Float(32), Internal::Call::if_then_else,
                                    {has_bias, in.load("bias", {lane, panel}), 0.f},
                                    Internal::Call::PureIntrinsic);
    };
    take_product(t, in, "x");
    return t;
}

} // namespace

Linear::Linear(const Spec &spec) : operands(linear_contract(), spec), product(terms(operands), "product") {
    if (spec.choice("panel") == "1") throw Error("linear", "panels of 1 are rows of weights: for GPUs alone");
    Var lane("l"), panel("p"), row("m");
    y(lane, panel, row) = operands.store("y", product.func(lane, 0, panel, row));
    operands.promise(y);
    promise_packed(operands.buffer("w"), std::stoi(spec.choice("panel")));
}

LinearOfRows::LinearOfRows(const Spec &spec, Reads reads) : operands(linear_contract(), spec), reads_(reads) {
    const Operands &in = operands;
    auto known = [&](const char *dim, const char *operand) {
        auto at = spec.fixed.find(dim);
        if (at != spec.fixed.end()) return Expr(static_cast<int>(at->second));
        auto divisor = static_cast<int>(spec.divisor(dim));
        Expr width = in.width(dim, operand);
        return divisor > 1 ? width / divisor * divisor : width; // which Halide's proofs then know
    };
    if (spec.choice("panel") != "1") throw Error(in.contract().name, "rows of weights are panels of 1");
    K = known("K", "x"), N = known("P", "w");
    Expr M = in.buffer("x").dim(1).extent();
    Var i("i");
    Expr along = within(reads, i, K);
    x(i, m) = in.load("x", {along, within(reads, m, M)});
    w(i, n) = in.load("w", {along, within(reads, n, N)});
    k = RDom(0, K, "k");
    product(n, m) = 0.f;
    product(n, m) += x(k, m) * w(k, n);
    operands.convert_by_call();
    y = output(product(n, m) + bias(n));
}

Expr LinearOfRows::bias(const Expr &column) const {
    Expr has_bias = operands.given("bias");
    if (reads_ == Reads::exact) // no branch around a whole tile: element 0 of its stand-in can be read
        return select(has_bias, operands.load("bias", {select(has_bias, column, 0)}), 0.f);
    return Internal::Call::make(Float(32), Internal::Call::if_then_else,
                                {has_bias, operands.load("bias", {column}), 0.f},
                                Internal::Call::PureIntrinsic);
}

Func LinearOfRows::output(const Expr &sums) const {
    Func out("y");
    out(n, m) = operands.store("y", sums);
    operands.promise(out);
    return out;
}

void LinearOfRows::promise_dense() {
    promise_no_gaps(operands.buffer("x"), {K});
    promise_no_gaps(operands.buffer("w"), {K, N});
    promise_no_gaps(operands.buffer("bias"), {N});
    promise_no_gaps(y.output_buffer(), {N});
}

} // namespace ks
