// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/grouped_experts.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/lower/registers_pass.h"
#include "dsl/lower/where_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/tile/cuda/row_product.h"
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/tile/cuda/tile_schedule.h"
#include "schedules/cuda/row_knobs.h"
#include "schedules/cuda/tile_knobs.h"

namespace ks::cuda {
using namespace Halide;

namespace {

// As linear's squares, for the rows of a tile: f32 arithmetic for any storage and any sizes. The condition
// that a tile is used stands around all of it.
Kernel in_registers(GroupedProduct &op, const Knobs &k) {
    constexpr int side = 16; // threads of a block, each way
    const int columns = k.integer("square"), depth = k.integer("depth"), tile = side * columns;
    Var column("column"), cx("cx"), i("i");
    RVar group("group"), thread("thread"), block("block");
    op.out.update()
        .allow_race_conditions() // slots of one row write equal values
        .split(op.n, column, op.n, tile, TailStrategy::GuardWithIf)
        .split(op.n, cx, i, columns)
        .split(op.slots[0], group, thread, side, TailStrategy::GuardWithIf)
        .fuse(group, op.tiles, block)
        .reorder(i, cx, thread, block, column)
        .unroll(i)
        .gpu_threads(cx, thread)
        .gpu_blocks(block, column);
    for (size_t part = 0; part < op.products.size(); part++) {
        Func product = op.products[part];
        Var slot = op.slot, x("px"), y("py");
        RVar step("step"), in_step("in_step");
        product.compute_at(op.out, block).store_in(MemoryType::Register);
        product.bound_extent(op.n, tile).bound_extent(slot, side);
        product.split(op.n, x, i, columns).reorder(i, x, slot).unroll(i).gpu_threads(x, slot);
        product.update()
            .split(op.n, x, i, columns)
            .split(op.k, step, in_step, depth, TailStrategy::GuardWithIf)
            .reorder(i, in_step, x, slot, step)
            .unroll(i)
            .gpu_threads(x, slot);
        for (Func f : {op.x[part], op.w[part]}) {
            Var along = f.args()[0], line = f.args()[1], lane("lane"), other("other");
            bool rows = f.name() == op.x[part].name();
            f.compute_at(product, step).store_in(MemoryType::GPUShared).reorder_storage(line, along, op.tile);
            f.bound_extent(along, depth).bound_extent(line, rows ? side : tile);
            f.split(along, along, lane, side)
                .split(line, line, other, side)
                .reorder(along, line, lane, other);
            f.gpu_threads(lane, other).unroll(along).unroll(line);
        }
    }
    Kernel kernel{
        {op.out}, op.operands.arguments(), {std::make_shared<PackPass>(), std::make_shared<RegistersPass>()}};
    kernel.device.expansions = ptx::instructions();
    return kernel;
}

bool is(const Spec &spec, const char *choice, const std::string &value) {
    auto at = spec.choices.find(choice);
    return at == spec.choices.end() || at->second == value;
}

// Tiles on tensor cores want operands of one 16-bit storage, rows that begin at multiples of 16 bytes, and as
// many slots as a tile operation has rows.
bool tile_can_serve(const Spec &spec, const char *columns) {
    for (const char *dim : {"B", "E", "K", columns})
        if (!spec.fixed.count(dim)) return false;
    for (const char *storage : {"bf16", "f16"})
        if (is(spec, "io", storage) && is(spec, "weight", storage))
            return spec.fixed.at("K") % 8 == 0 && spec.fixed.at(columns) % 8 == 0 &&
                   spec.fixed.at("B") % tile::slab_rows == 0;
    return false;
}

TileProblem tile_problem(const Spec &spec, bool up) {
    TileProblem p;
    p.storage = storage_named(spec.choice("io"));
    p.K = static_cast<int>(spec.fixed.at("K"));
    p.products = up ? std::stoi(spec.choice("halves")) : 1;
    p.gathered = up;
    p.experts = true;
    p.scattered = !up;
    return p;
}

Kernel in_tiles(GroupedProduct &op, const tile::TileOp &tile, bool up) {
    op.promise_dense();
    tile::TileMatmul matmul{op.out,
                            op.products,
                            op.operands.buffer(up ? "x" : "h"),
                            op.operands.buffer("w"),
                            {},
                            op.operands.buffer("experts")};
    if (up) matmul.rows = op.operands.buffer("rows");
    tile::tile_schedule_of_update(matmul, tile, op.slots, op.tiles);
    auto where = std::make_shared<WherePass>("experts");
    Kernel kernel{{op.out}, op.operands.arguments(), {where}};
    tile::use_tensor_cores(kernel, matmul, tile);
    return kernel;
}

// Few slots: bound by reading the weights of the experts that have tiles.
bool rows_can_serve(const Spec &spec, const char *columns) {
    for (const char *dim : {"B", "E", "K", columns})
        if (!spec.fixed.count(dim)) return false;
    return spec.fixed.at("B") <= 64;
}

RowProblem row_problem(const Spec &spec, bool up) {
    auto storage = [&](const char *choice) {
        auto at = spec.choices.find(choice);
        return at == spec.choices.end() ? Storage::f32 : storage_named(at->second);
    };
    auto width = [&](const char *dim) { return static_cast<int>(spec.fixed.at(dim)); };
    return {storage("io"), storage("weight"), width("K"), width(up ? "F" : "N"),
            up && is(spec, "halves", "2") ? 2 : 1};
}

tile::RowProduct row_product(const GroupedProduct &op, const RowProblem &p, const Knobs &k, bool up) {
    ImageParam x = op.operands.buffer(up ? "x" : "h"), w = op.operands.buffer("w");
    Var tile = op.tile;
    tile::RowProduct::Terms terms;
    terms.K = p.K, terms.columns = p.columns;
    terms.rows = static_cast<int>(op.operands.spec().fixed.at("B"));
    terms.x_storage = p.x, terms.w_storage = p.w;
    terms.parts = p.parts;
    terms.outer = {tile};
    terms.x = [&op, x, tile, up](const Expr &i, const Expr &slot) {
        return up ? x(i, op.row(slot, tile)) : x(i, slot, tile);
    };
    terms.w = [&op, w, tile, up](const Expr &i, const Expr &column, const Expr &part) {
        return up ? w(i, column, part, op.expert(tile)) : w(i, column, op.expert(tile));
    };
    return tile::RowProduct(terms, row_plan(k, p), "product");
}

Kernel in_rows(GroupedProduct &op, const tile::RowProduct &product) {
    op.promise_dense();
    product.schedule_update(op.out, op.n, op.slots[0], op.tiles);
    Kernel kernel{{op.out}, op.operands.arguments(), {std::make_shared<PackPass>()}};
    kernel.device.expansions = ptx::instructions();
    product.finish(kernel);
    return kernel;
}

Space space(const Spec &spec, bool up) {
    bool tiles = tile_can_serve(spec, up ? "F" : "N"), rows = rows_can_serve(spec, up ? "F" : "N");
    Space s;
    s.knob("form", std::vector<std::string>{"squares", "tiles", "rows"}, tiles ? "tiles" : "squares",
           "squares of results in registers, tiles on tensor cores, or few rows, bound by the weights");
    s.begin_group([](const Knobs &k) { return k["form"] == "squares"; });
    s.knob("square", {2, 4, 8}, 4, "squares: columns of a thread's results");
    s.knob("depth", {16, 32}, 16, "squares: elements of K in shared memory");
    s.end_group();
    s.rule([=](const Knobs &k) { return (tiles || k["form"] != "tiles") && (rows || k["form"] != "rows"); });
    TileProblem problem;
    problem.scattered = !up;
    if (tiles) problem = tile_problem(spec, up);
    add_tile_knobs(s, problem, [](const Knobs &k) { return k["form"] == "tiles"; });
    int64_t slots = tiles ? spec.fixed.at("B") : 0;
    s.rule([=](const Knobs &k) { return k["form"] != "tiles" || tile_op(k, problem).rows() == slots; });
    add_row_knobs(s, rows ? row_problem(spec, up) : RowProblem(),
                  [](const Knobs &k) { return k["form"] == "rows"; });
    Knobs few = s.fallback();
    few.set("form", "rows");
    constexpr int most_of_few = 16;
    if (rows && spec.fixed.at("B") <= most_of_few && s.legal(few)) s.set_fallback(few);
    if (slots == tile::slab_rows)
        s.set_fallback(Knobs(std::map<std::string, std::string>{{"warpgroups", "1"}}));
    return s;
}

} // namespace

Space grouped_expert_up_space(const Spec &spec, const Target &) { return space(spec, true); }
Space grouped_expert_down_space(const Spec &spec, const Target &) { return space(spec, false); }

Kernel grouped_expert_up(const Spec &spec, const Knobs &k, const Target &) {
    Maths maths = Maths::special_function_unit();
    if (k["form"] == "tiles") {
        tile::TileOp tile = tile_op(k, tile_problem(spec, true));
        GroupedExpertUp op(spec, maths, GroupedProduct::Reads::exact, tile::row_loops(tile));
        return in_tiles(op, tile, true);
    }
    if (k["form"] == "rows") {
        GroupedExpertUp op(spec, maths, GroupedProduct::Reads::exact);
        RowProblem problem = row_problem(spec, true);
        tile::RowProduct product = row_product(op, problem, k, true);
        std::vector<Expr> sums;
        for (int part = 0; part < problem.parts; part++)
            sums.push_back(product.sum(op.n, op.at_slot(), part, {op.tiles}));
        op.out = op.output(sums);
        return in_rows(op, product);
    }
    GroupedExpertUp op(spec, maths, GroupedProduct::Reads::clamped);
    return in_registers(op, k);
}

Kernel grouped_expert_down(const Spec &spec, const Knobs &k, const Target &) {
    if (k["form"] == "tiles") {
        tile::TileOp tile = tile_op(k, tile_problem(spec, false));
        GroupedExpertDown op(spec, GroupedProduct::Reads::exact, tile::row_loops(tile));
        return in_tiles(op, tile, false);
    }
    if (k["form"] == "rows") {
        GroupedExpertDown op(spec, GroupedProduct::Reads::exact);
        tile::RowProduct product = row_product(op, row_problem(spec, false), k, false);
        op.out = op.output(product.sum(op.n, op.at_slot(), 0, {op.tiles}));
        return in_rows(op, product);
    }
    GroupedExpertDown op(spec, GroupedProduct::Reads::clamped);
    return in_registers(op, k);
}

bool grouped_experts_in_base_pack(const Spec &spec, const Target &) {
    auto out = spec.choices.find("out");
    const std::string &io = spec.choice("io");
    return spec.choice("weight") == io &&
           (out == spec.choices.end() || out->second == io || out->second == "f32");
}

} // namespace ks::cuda
