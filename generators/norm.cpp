// SPDX-License-Identifier: Apache-2.0
#include "generators/norm.h"
#include "dsl/lower/assign_pass.h"

namespace ks {
using namespace Halide;

namespace {

Contract norm(bool layer) {
    Contract c;
    c.name = layer ? "layer_norm" : "rms_norm";
    c.version = 1;
    c.summary = std::string("residual add and ") + (layer ? "LayerNorm" : "RMSNorm") + " of T rows";
    c.dims = {{"T", 1, 1 << 24, false, "rows"}, {"H", 1, 1 << 20, true, "width of a row"}};
    c.operands = {
        {"hidden", Role::input, "f32", {"T", "H"}, true, "output of the layer before"},
        {"residual",
         Role::in_place,
         "f32",
         {"T", "H"},
         true,
         "sum of the layers before; hidden is added, in f32"},
        {"weight", Role::input, "f32", {"H"}, false, "scale"},
    };
    if (layer) c.operands.push_back({"bias", Role::input, "f32", {"H"}, false, "shift"});
    c.operands.push_back(
        {"y", Role::output, "f32", {"T", "H"}, true, "normalised rows, rounded as `rounding` says"});
    c.scalars = {
        {"flags", "i32",
         "1: add the residual (without it, as in the first layer, the residual becomes hidden)"},
        {"eps", "f32", "added to the mean square"},
    };
    c.slice = "T";
    c.choices = {{"rounding", {"none", "bf16", "f16"}}}; // of the sum before the norm, and of y
    c.tolerance = {{"none", 1e-6}, {"bf16", 5e-3}, {"f16", 7e-4}};
    if (!layer) { // hf_*: the normalised value too, before the product with the weight
        c.choices["rounding"].insert(c.choices["rounding"].end(), {"hf_bf16", "hf_f16"});
        c.tolerance.insert({{"hf_bf16", 1e-2}, {"hf_f16", 1.4e-3}});
    }
    c.non_finite = "NaN or infinity in a row makes NaN of that row (infinity: 0 elsewhere in it, for "
                   "rms_norm); in weight or "
                   "bias it stays in that column.";
    return c;
}

// A value as the storage of that name would keep it.
Expr rounded(const std::string &storage, const Expr &e) {
    if (storage == "none") return e;
    Storage s = storage_named(storage);
    return widen(s, narrow(s, e));
}

} // namespace

const Contract &rms_norm_contract() {
    static const Contract c = norm(false);
    return c;
}

const Contract &layer_norm_contract() {
    static const Contract c = norm(true);
    return c;
}

Norm::Norm(const Contract &contract, const Spec &spec, int partials, int folds) : operands(contract, spec) {
    bool layer = contract.name == "layer_norm";
    auto &in = operands;
    ImageParam residual = in.buffer("residual");
    Expr width = in.width("H", "hidden"), add = (in.scalar("flags") & int(norm_add)) != 0;
    std::string to = spec.choice("rounding");
    bool hf = to.rfind("hf_", 0) == 0;
    if (hf) to = to.substr(3);

    auto wide = [](const Expr &e) { return cast<double>(e); };
    auto square = [](const Expr &e) { return e * e; };
    auto value = [&](const Expr &column) {
        return wide(rounded(to, residual(column, t)));
    }; // once it holds the sum
    first = std::make_unique<RowSum>(
        layer ? "sum" : "squares", t, width, partials, folds, [&](const Expr &column) {
            Expr sum = in.load("hidden", {column, t}) + select(add, residual(column, t), 0.f);
            Expr v = wide(rounded(to, assign(sum, {{residual(column, t), sum}})));
            return layer ? v : square(v);
        });
    Expr mean = first->total(t) / wide(width), centred = value(h), mean_square = mean;
    if (layer) {
        second = std::make_unique<RowSum>("squares", t, width, partials, folds,
                                          [&](const Expr &column) { return square(value(column) - mean); });
        centred = centred - mean;
        mean_square = second->total(t) / wide(width);
    }
    Expr scale = wide(1.f) / sqrt(mean_square + wide(in.scalar("eps")));
    Expr normalised = cast<float>(centred) * cast<float>(scale);
    if (hf) normalised = rounded(to, normalised);
    Expr scaled = normalised * in.load("weight", {h});
    if (layer) scaled += in.load("bias", {h});
    y(h, t) = in.store("y", rounded(to, scaled));
    in.promise(y);
}

} // namespace ks
