// SPDX-License-Identifier: Apache-2.0
#include "generators/grouped_experts.h"
#include "runtime/base/error.h"

namespace ks {
using namespace Halide;

namespace {

const std::vector<std::string> storages = {"f32", "bf16", "f16"};

std::vector<Operand> tile_operands() {
    return {{"rows", Role::input, "i32", {"G", "B"}, false, "row of every slot, in [0, T)"},
            {"experts",
             Role::input,
             "i32",
             {"G", "B"},
             false,
             "expert of every slot, one for all slots of a tile; -1: the tile is not used"}};
}

Contract up() {
    Contract c;
    c.name = "grouped_expert_up";
    c.version = 1;
    c.summary = "first product of every expert for the rows routed to it, with the activation and the gate";
    c.dims = {
        {"T", 1, 1 << 24, false, "rows of x"},  {"G", 1, 1 << 20, false, "tiles of rows"},
        {"B", 1, 256, true, "slots of a tile"}, {"E", 1, 1 << 10, true, "experts"},
        {"K", 1, 1 << 20, true, "input width"}, {"F", 1, 1 << 20, true, "hidden width"},
    };
    c.operands = {{"x", Role::input, "io", {"T", "K"}, true, "input rows"}};
    for (Operand &o : tile_operands()) c.operands.push_back(o);
    c.operands.push_back({"w",
                          Role::input,
                          "weight",
                          {"E", "halves", "F", "K"},
                          false,
                          "G, then U of every expert, row by row; with one half U alone"});
    c.operands.push_back({"h",
                          Role::output,
                          "io",
                          {"G", "B", "F"},
                          true,
                          "hidden values, slot by slot; tiles that are not used keep theirs"});
    c.choices = {
        {"io", storages}, {"weight", storages}, {"act", {"silu", "gelu_erf"}}, {"halves", {"2", "1"}}};
    c.tolerance = {{"f32", 1e-5}, {"bf16", 4e-3}, {"f16", 5e-4}};
    c.non_finite =
        "NaN in a row of x stays in the slots of that row, NaN in a weight in that column of its expert; "
        "infinity gives NaN or infinity there, or almost 0 where gelu_erf takes -infinity";
    c.dense_when_fixed = true;
    return c;
}

Contract down() {
    Contract c;
    c.name = "grouped_expert_down";
    c.version = 1;
    c.summary = "second product of every expert, scaled and written to the rows it came from";
    c.dims = {
        {"T", 1, 1 << 24, false, "rows of y"},   {"G", 1, 1 << 20, false, "tiles of rows"},
        {"B", 1, 256, true, "slots of a tile"},  {"E", 1, 1 << 10, true, "experts"},
        {"K", 1, 1 << 20, true, "hidden width"}, {"N", 1, 1 << 20, true, "output width"},
    };
    c.operands = {{"h", Role::input, "io", {"G", "B", "K"}, true, "hidden values, slot by slot"}};
    for (Operand &o : tile_operands()) c.operands.push_back(o);
    c.operands.push_back(
        {"scale", Role::input, "f32", {"T"}, false, "factor of each row of y: the router's gate"});
    c.operands.push_back(
        {"w", Role::input, "weight", {"E", "N", "K"}, false, "weights of every expert, row by row"});
    c.operands.push_back({"y",
                          Role::output,
                          "out",
                          {"T", "N"},
                          true,
                          "output; rows of no slot keep their values, slots of the same row must be equal"});
    c.choices = {{"io", storages}, {"weight", storages}, {"out", storages}};
    c.tolerance = {{"f32", 1e-5}, {"bf16", 4e-3}, {"f16", 5e-4}};
    c.non_finite =
        "NaN in a slot of h or the scale of its row stays in the row it is written to, NaN in a weight in "
        "that column of its expert; infinity gives NaN or infinity there";
    c.dense_when_fixed = true;
    return c;
}

} // namespace

const Contract &grouped_expert_up_contract() {
    static const Contract c = up();
    return c;
}

const Contract &grouped_expert_down_contract() {
    static const Contract c = down();
    return c;
}

Expr GroupedProduct::row(const Expr &at, const Expr &of) const {
    Expr rows = (kind.gathers ? operands.buffer("x").dim(1) : operands.buffer("scale").dim(0)).extent();
    return unsafe_promise_clamped(operands.load("rows", {at, of}), 0, rows - 1);
}

Expr GroupedProduct::expert(const Expr &of) const {
    return unsafe_promise_clamped(operands.load("experts", {0, of}), 0, operands.width("E", "w") - 1);
}

std::vector<Expr> GroupedProduct::input_at(const Expr &i, const Expr &at, const Expr &of) const {
    return kind.gathers ? std::vector<Expr>{i, row(at, of)} : std::vector<Expr>{i, at, of};
}

std::vector<Expr> GroupedProduct::weight_at(const Expr &i, const Expr &column, const Expr &part,
                                            const Expr &of) const {
    bool parts = operands.buffer("w").dimensions() == 4;
    return parts ? std::vector<Expr>{i, column, part, expert(of)} : std::vector<Expr>{i, column, expert(of)};
}

GroupedProduct::GroupedProduct(const Contract &contract, const Spec &spec, const Kind &what, Reads reads,
                               const TileWalk &of_tiles)
    : kind(what), operands(contract, spec) {
    Expr K = operands.width("K", kind.input), N = operands.width(kind.columns, "w"),
         B = operands.width("B", "rows");
    Var i("i");
    Expr along = within(reads, i, K), column = within(reads, n, N), at = within(reads, slot, B);
    k = RDom(0, K, "k");
    for (int part = 0; part < kind.parts; part++) {
        Func input("xs"), weights("ws"), product("product");
        input(i, slot, tile) = operands.load(kind.input, input_at(along, at, tile));
        weights(i, n, tile) = operands.load("w", weight_at(along, column, part, tile));
        product(n, slot, tile) = 0.f;
        product(n, slot, tile) += input(k, slot, tile) * weights(k, n, tile);
        x.push_back(input), w.push_back(weights), products.push_back(product);
    }
    operands.convert_by_call();
    const SlotLoops &loops = of_tiles.slots;
    walk(loops.empty() ? std::vector<std::pair<Expr, int>>{{B, 1}}
                       : std::vector<std::pair<Expr, int>>(loops.begin(), loops.end()),
         of_tiles.apart);
}

void GroupedProduct::walk(const std::vector<std::pair<Expr, int>> &loops, int apart) {
    Region region;
    Expr all = operands.buffer("rows").dim(1).extent();
    for (const auto &loop : loops) region.emplace_back(0, loop.first);
    region.emplace_back(0, apart ? (all + apart - 1) / apart : all);
    if (apart) region.emplace_back(0, apart);
    RDom r(region, "r");
    auto count = static_cast<int>(loops.size());
    for (int i = 0; i < count; i++) {
        slots.push_back(r[i]);
        Expr steps = r[i] * loops[static_cast<size_t>(i)].second;
        at_slot_ = i ? at_slot_ + steps : steps;
    }
    tiles = r[count];
    if (!apart) {
        at_tile_ = tiles;
        r.where(operands.load("experts", {0, tiles}) >= 0);
        return;
    }
    series = r[count + 1];
    Expr of_series = tiles * apart + *series;
    at_tile_ = unsafe_promise_clamped(of_series, 0, all - 1);
    r.where(select(of_series < all, operands.load("experts", {0, min(of_series, all - 1)}), -1) >= 0);
}

void GroupedProduct::promise_dense() {
    const Dims &fixed = operands.spec().fixed;
    auto size = [&](const char *dim) { return static_cast<int>(fixed.at(dim)); };
    int K = size("K"), B = size("B"), N = size(kind.columns);
    promise_no_gaps(operands.buffer("rows"), {B});
    promise_no_gaps(operands.buffer("experts"), {B});
    if (kind.gathers) {
        promise_no_gaps(operands.buffer("x"), {K});
        promise_no_gaps(operands.buffer("w"), {K, N, kind.parts, size("E")});
        promise_no_gaps(out.output_buffer(), {N, B});
    } else {
        promise_no_gaps(operands.buffer("h"), {K, B});
        promise_no_gaps(operands.buffer("w"), {K, N, size("E")});
        promise_no_gaps(out.output_buffer(), {N});
    }
}

std::vector<Expr> GroupedProduct::at_loops() const {
    std::vector<Expr> sums;
    for (const Func &product : products) sums.push_back(product(n, at_slot_, at_tile_));
    return sums;
}

GroupedProduct::Kind GroupedExpertUp::kind_of(const Spec &spec) {
    return {"x", "F", std::stoi(spec.choice("halves")), true};
}

GroupedExpertUp::GroupedExpertUp(const Spec &spec, const Maths &maths, Reads reads, const TileWalk &walk)
    : GroupedProduct(grouped_expert_up_contract(), spec, kind_of(spec), reads, walk), maths_(maths) {
    out = output(at_loops());
}

Func GroupedExpertUp::output(const std::vector<Expr> &sums) const {
    bool silu = operands.spec().choice("act") == "silu";
    Expr active = silu ? maths_.silu(sums[0]) : maths_.gelu_erf(sums[0]);
    Expr value = operands.store("h", sums.size() == 2 ? active * sums[1] : active);
    Func h("h");
    h(n, slot, tile) = undef(value.type());
    h(n, at_slot(), at_tile()) = value;
    operands.promise(h);
    return h;
}

GroupedProduct::Kind GroupedExpertDown::kind_of(const Spec &) { return {"h", "N", 1, false}; }

GroupedExpertDown::GroupedExpertDown(const Spec &spec, Reads reads, const TileWalk &walk)
    : GroupedProduct(grouped_expert_down_contract(), spec, kind_of(spec), reads, walk) {
    out = output(at_loops());
}

Func GroupedExpertDown::output(const std::vector<Expr> &sums) const {
    Var m("m");
    Expr to = row(at_slot(), at_tile());
    Expr value = operands.store("y", sums[0] * operands.load("scale", {to}));
    Func y("y");
    y(n, m) = undef(value.type());
    y(n, to) = value;
    operands.promise(y);
    return y;
}

} // namespace ks
