// SPDX-License-Identifier: Apache-2.0
#include "schedules/x86/linear.h"
#include <algorithm>
#include <numeric>

namespace ks::x86 {
using namespace Halide;

namespace {

bool wide(const Target &target) { return target.has_feature(Target::AVX512); }
int lanes_of(int panel, const Target &target) { return std::min(panel, target.natural_vector_size<float>()); }

} // namespace

RegisterTile register_tile(int panel, int parts, const Knobs &k, const Target &target) {
    return {lanes_of(panel, target),
            panel,
            parts,
            k.integer("rows"),
            k.integer("vectors"),
            k.integer("panels"),
            wide(target) ? 32 : 16,
            k.integer("prefetch")};
}

Space register_tile_space(int panel, int parts, const Spec &spec, const Target &target) {
    int lanes = lanes_of(panel, target);
    bool pairs = spec.choice("io") == "bf16";
    int bytes = parts * panel * bytes_of(storage_named(spec.choice("weight")));
    std::vector<int> rows(14), vectors;
    std::iota(rows.begin(), rows.end(), 1);
    for (int v = 1; v * lanes <= panel; v *= 2) vectors.push_back(v);
    // Two vectors of AVX2 or four of AVX-512 share a broadcast of x; taller tiles where the panel has fewer.
    int vector = std::min(vectors.back(), std::max(1, (wide(target) ? 4 : 2) / parts));
    RegisterTile full{lanes, panel, parts, 1, vector, 1, wide(target) ? 32 : 16, 0};
    int tallest = 1;
    while (tallest < 12 && full.fits(tallest + 1, vector, 1)) tallest++;

    Space s;
    s.knob("rows", rows, tallest, "tallest row tile");
    s.knob("vectors", vectors, vector, "vectors of a panel in flight in tall tiles");
    s.knob("panels", {1, 2, 4}, 1, "panels in flight while a tile has few rows");
    s.knob("prefetch", pairs ? std::vector<int>{0} : std::vector<int>{0, 16, 32, 64, 128},
           wide(target) || bytes > 64 ? 0 : 64, "steps of k to prefetch weights");
    s.rule([=](const Knobs &k) {
        return register_tile(panel, parts, k, target).fits(k.integer("rows"), k.integer("vectors"), 1);
    });
    // More than a line per step becomes a loop with a branch inside the kernel (measured 113 to 85 GFLOP/s).
    s.rule([=](const Knobs &k) {
        return k.integer("prefetch") == 0 || (bytes <= 64 && k.integer("panels") == 1);
    });
    return s;
}

Space linear_space(const Spec &spec, const Target &target) {
    return register_tile_space(std::stoi(spec.choice("panel")), 1, spec, target);
}

Kernel linear(const Spec &spec, const Knobs &k, const Target &target) {
    Linear op(spec);
    RegisterTile tile = register_tile(std::stoi(spec.choice("panel")), 1, k, target);
    tile_panels(op.y, op.product, tile, op.operands.width("P", "w"));
    return {{op.y}, op.operands.arguments(), {}};
}

bool linear_in_base_pack(const Spec &spec, const Target &target) {
    return spec.choice("out") == "f32" && panel_in_base_pack(std::stoi(spec.choice("panel")), spec, target);
}

bool panel_in_base_pack(int lanes, const Spec &spec, const Target &target) {
    if (spec.choice("io") == "f16") return false;
    if (spec.choice("io") == "bf16")
        return spec.choice("weight") == "bf16" &&
               lanes == 32; // 12 rows of two vectors: 0.97 of what the unit can do
    if (wide(target)) return lanes == 32 || lanes == 64;
    // 16-bit weights in panels of 32 read a whole line per step: M = 1 at 30 instead of 27 GB/s from memory,
    // 55 instead of 29 from cache. In f32 such panels would take two passes, which costs half the speed from
    // M = 3 on.
    return lanes == 16 || (lanes == 32 && spec.choice("weight") != "f32");
}

} // namespace ks::x86
