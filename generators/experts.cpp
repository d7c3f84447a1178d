// SPDX-License-Identifier: Apache-2.0
#include "generators/experts.h"
#include "generators/linear.h"

namespace ks {
using namespace Halide;

namespace {

Contract up() {
    Contract c;
    c.name = "expert_up";
    c.version = 3;
    c.summary = "first product of an expert for its rows, with the activation and the gate";
    c.dims = {
        {"R", 1, 1 << 24, false, "rows of this expert"},
        {"K", 1, 1 << 20, true, "input width"},
        {"P", 1, 1 << 20, true, "panels: hidden width over the lanes of a panel, rounded up"},
    };
    c.operands = {
        {"x", Role::input, "io", {"R", "K"}, true, "rows of this expert, as gather_rows makes them"},
        {"w",
         Role::input,
         "weight",
         {"P", "K", "halves", "panel"},
         false,
         "w[p][k][0][i] is G[p * panel + i][k], w[p][k][1][i] the same of U; with one half U alone; for io = "
         "bf16 k "
         "goes in pairs, w[p][k / 2][half][i][k % 2], and the last of an odd K follows as [half][i]"},
        {"h", Role::output, "io", {"R", "P", "panel"}, true, "hidden values, row by row of x"},
    };
    c.slice = "P";
    c.choices = {{"io", {"f32", "bf16"}},
                 {"weight", {"f32", "bf16", "f16"}},
                 {"panel", {"8", "16", "32", "64"}},
                 {"act", {"silu", "gelu_erf"}},
                 {"halves", {"2", "1"}}};
    c.tolerance = {{"f32", 1e-5}, {"bf16", 4e-3}};
    c.non_finite =
        "NaN in a row of x stays in that row of h, NaN in a weight in that column; infinity gives NaN or "
        "infinity there, or almost 0 where gelu_erf takes -infinity";
    return c;
}

Contract down() {
    Contract c;
    c.name = "expert_down";
    c.version = 2;
    c.summary = "second product of an expert, scaled and written to the rows it came from";
    c.dims = {
        {"T", 1, 1 << 24, false, "rows of y"},
        {"R", 1, 1 << 24, false, "rows listed"},
        {"K", 1, 1 << 20, true, "hidden width"},
        {"P", 1, 1 << 20, true, "panels: output width over the lanes of a panel, rounded up"},
    };
    c.operands = {
        {"h", Role::input, "io", {"R", "K"}, true, "hidden values in the order of `rows`"},
        {"rows", Role::input, "i32", {"R"}, false, "rows of y to write, each in [0, T), none twice"},
        {"scale", Role::input, "f32", {"R"}, false, "factor of each listed row: the weight of the router"},
        {"w", Role::input, "weight", {"P", "K", "panel"}, false, "as for linear"},
        {"y",
         Role::output,
         "f32",
         {"T", "P", "panel"},
         true,
         "output; rows that are not listed keep their values"},
    };
    c.slice = "P";
    c.choices = {{"io", {"f32", "bf16"}}, {"weight", {"f32", "bf16", "f16"}}, {"panel", {"16", "32", "64"}}};
    c.tolerance = {{"f32", 1e-5}, {"bf16", 1e-5}, {"f16", 1e-5}};
    c.non_finite =
        "NaN in a row of h or its scale stays in the row it is written to, NaN in a weight in that column; "
        "infinity gives NaN or infinity there";
    return c;
}

PanelProduct::Terms terms(const Operands &in, const std::string &x) {
    PanelProduct::Terms t;
    t.K = in.width("K", x);
    t.initial = [](const Expr &, const Expr &) { return 0.f; };
    take_product(t, in, x);
    return t;
}

} // namespace

const Contract &expert_up_contract() {
    static const Contract c = up();
    return c;
}

const Contract &expert_down_contract() {
    static const Contract c = down();
    return c;
}

ExpertUp::ExpertUp(const Spec &spec, const Maths &maths)
    : operands(expert_up_contract(), spec), product(terms(operands, "x"), "product") {
    int panel_lanes = std::stoi(spec.choice("panel")), halves = std::stoi(spec.choice("halves"));
    Var lane("l"), panel("p"), row("m");
    Expr first = product.func(lane, 0, panel, row);
    Expr active = spec.choice("act") == "silu" ? maths.silu(first) : maths.gelu_erf(first);
    Expr value = halves == 2 ? active * product.func(lane, 1, panel, row) : active;
    h(lane, panel, row) = operands.store("h", value);
    operands.promise(h);
    ImageParam w = operands.buffer("w");
    promise_packed(w, panel_lanes);
    w.dim(1).set_extent(halves);
    w.dim(2).set_stride(halves * panel_lanes);
}

ExpertDown::ExpertDown(const Spec &spec, int tallest) : operands(expert_down_contract(), spec) {
    y(lane, panel, row) = undef<float>();
    operands.promise(y);
    Expr count = operands.buffer("rows").dim(0).extent(), last_row = y.output_buffer().dim(2).extent() - 1;
    BalancedRows balanced(count, tallest);
    for (int height = 1; height <= tallest; height++) {
        // The last tile overlaps the one before it: both write the same values.
        RDom tile(0, height, 0, select(balanced.height == height, balanced.tiles, 0), "tile");
        PanelProduct product(terms(operands, "h"), "product_" + std::to_string(height));
        Expr slot = min(tile.y * height, count - height) + tile.x;
        Expr to = clamp(operands.load("rows", {slot}), 0, last_row);
        y(lane, panel, to) = product.func(lane, 0, panel, slot) * operands.load("scale", {slot});
        scatter.push_back({tile, product});
    }
    promise_packed(operands.buffer("w"), std::stoi(spec.choice("panel")));
}

} // namespace ks
