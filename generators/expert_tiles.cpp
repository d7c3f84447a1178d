// SPDX-License-Identifier: Apache-2.0
#include "generators/expert_tiles.h"

namespace ks {
using namespace Halide;

namespace {

Contract expert_tiles() {
    Contract c;
    c.name = "expert_tiles";
    c.version = 1;
    c.summary = "tokens by expert in whole tiles, for grouped products";
    c.dims = {
        {"T", 1, 1 << 24, false, "tokens"},
        {"E", 1, ExpertTiles::most_experts, true, "experts"},
        {"G", 1, 1 << 24, false,
         "tiles; min(T, floor((T + E (B-1)) / B)) always suffice, fewer leave the last ones in use out"},
        {"B", 1, 256, true, "slots of a tile"},
    };
    c.operands = {
        {"counts", Role::input, "i32", {"E"}, false, "tokens of every expert, as the router makes them"},
        {"offsets", Role::input, "i32", {"E+1"}, false, "where an expert's tokens begin in permutation"},
        {"permutation", Role::input, "i32", {"T"}, false, "tokens by expert"},
        {"rows",
         Role::output,
         "i32",
         {"G", "B"},
         false,
         "token of a slot; beyond its expert's last token that token again; 0 in tiles not in use"},
        {"experts", Role::output, "i32", {"G", "B"}, false, "expert of a slot's tile; -1: it is not in use"},
    };
    c.tolerance = {{"i32", 0}};
    c.non_finite = "There are integers alone.";
    return c;
}

} // namespace

const Contract &expert_tiles_contract() {
    static const Contract c = expert_tiles();
    return c;
}

ExpertTiles::ExpertTiles(const Spec &spec, bool together) : operands(expert_tiles_contract(), spec) {
    auto &in = operands;
    Expr number = in.width("E", "counts"), tokens = in.buffer("permutation").dim(0).extent();
    auto fixed = spec.fixed.find("B");
    Expr width = fixed == spec.fixed.end() ? (together ? slots : rows).output_buffers()[0].dim(0).extent()
                                           : Expr(static_cast<int>(fixed->second));

    needed(e) = cast<int32_t>(cast<uint32_t>(in.load("counts", {e}) + width - 1) / cast<uint32_t>(width));
    found(g) = Tuple(0, -1, 0);
    RDom of(0, number, "expert");
    Expr begin = found(g)[0], end = begin + needed(of);
    Expr here = g >= begin && g < end;
    found(g) = Tuple(end, select(here, of, found(g)[1]), select(here, begin, found(g)[2]));

    Expr expert = found(g)[1], at = clamp(expert, 0, number - 1);
    Expr slot = min((g - found(g)[2]) * width + b, in.load("counts", {at}) - 1);
    Expr place = clamp(in.load("offsets", {at}) + slot, 0, tokens - 1);
    slots(b, g) = Tuple(select(expert < 0, 0, in.load("permutation", {place})), expert);
    if (together) {
        in.promise(slots);
        return;
    }
    rows(b, g) = slots(b, g)[0];
    experts(b, g) = slots(b, g)[1];
    for (const Func &f : {rows, experts}) in.promise(f);
}

} // namespace ks
