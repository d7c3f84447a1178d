// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/experts.h"
#include "schedules/x86/linear.h"

namespace ks::x86 {
using namespace Halide;

namespace {

int panel(const Spec &spec) { return std::stoi(spec.choice("panel")); }
int halves(const Spec &spec) { return std::stoi(spec.choice("halves")); }

} // namespace

Space expert_up_space(const Spec &spec, const Target &target) {
    Space s = register_tile_space(panel(spec), halves(spec), spec, target);
    bool wide = target.has_feature(Target::AVX512);
    s.knob("rounding", std::vector<std::string>{"magic", "round"}, wide ? "magic" : "round",
           "how exp2 rounds");
    return s;
}

Kernel expert_up(const Spec &spec, const Knobs &k, const Target &target) {
    ExpertUp op(spec, Maths(k["rounding"] == "magic" ? Rounding::magic : Rounding::round));
    RegisterTile tile = register_tile(panel(spec), halves(spec), k, target);
    tile_panels(op.h, op.product, tile, op.operands.width("P", "w"));
    return {{op.h}, op.operands.arguments(), {}};
}

bool expert_up_in_base_pack(const Spec &spec, const Target &target) {
    return panel_in_base_pack(panel(spec) * halves(spec), spec, target);
}

Space expert_down_space(const Spec &spec, const Target &target) {
    Space s = register_tile_space(panel(spec), 1, spec, target);
    s.rule([](const Knobs &k) { return k.integer("panels") == 1; });
    return s;
}

Kernel expert_down(const Spec &spec, const Knobs &k, const Target &target) {
    RegisterTile tile = register_tile(panel(spec), 1, k, target);
    ExpertDown op(spec, tile.rows);
    op.y.bound(op.lane, 0, panel(spec));
    Var pass("pass"), in_pass("in_pass");
    for (int i = 0; i < tile.rows; i++) {
        ExpertDown::Scatter &scatter = op.scatter[static_cast<size_t>(i)];
        op.y.update(i)
            .split(op.lane, pass, in_pass, tile.lanes * tile.vectors_at(i + 1))
            .reorder(in_pass, scatter.tile.x, scatter.tile.y, pass, op.panel)
            .vectorize(in_pass, tile.lanes)
            .unroll(in_pass)
            .unroll(scatter.tile.x);
        RegisterTile inner = tile;
        if (i < 2) inner.prefetch = 0; // as tile_panels does it
        scatter.product.compute_at(op.y, scatter.tile.y, inner);
    }
    return {{op.y}, op.operands.arguments(), {}};
}

bool expert_down_in_base_pack(const Spec &spec, const Target &target) {
    return panel_in_base_pack(panel(spec), spec, target);
}

} // namespace ks::x86
