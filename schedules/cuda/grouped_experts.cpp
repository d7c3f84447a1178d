// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/grouped_experts.h"
#include "dsl/lower/where_pass.h"
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/tile/cuda/tile_schedule.h"
#include "schedules/cuda/product_forms.h"
#include <functional>
#include <memory>

namespace ks::cuda {
using namespace Halide;

namespace {

// Makes the op as a form wants it read and walked over.
using Make = std::function<std::unique_ptr<GroupedProduct>(const Spec &, Reads, const TileWalk &)>;

// Tiles and rows want all widths; tiles as many slots as a tile operation has rows, rows few of them.
ProductForms forms_of(const Spec &spec, const GroupedProduct::Kind &kind) {
    constexpr int most_slots_of_rows = 64;
    ProductForms forms = product_forms(spec, kind.columns, {"io", "weight"});
    bool known = true;
    for (const char *dim : {"B", "E", "K", kind.columns}) known = known && fixed_width(spec, dim);
    int slots = fixed_width(spec, "B");
    forms.tiles = forms.tiles && known && slots % tile::slab_rows == 0;
    forms.rows = known && slots <= most_slots_of_rows;
    forms.tile.products = forms.row.parts = kind.parts;
    forms.tile.gathered = kind.gathers;
    forms.tile.experts = true;
    forms.tile.scattered = !kind.gathers;
    forms.tile.wide_results = !kind.gathers && spec.choice("out") == "f32";
    return forms;
}

// As linear's squares, for the rows of a tile. The condition that a tile is used stands around all of it.
// Where B is known to be 1 it is left open: the row would be a constant, and a thread's registers those of
// thread 0.
Kernel in_registers(Spec spec, const Knobs &k, const Make &make) {
    if (fixed_width(spec, "B") == 1) spec.fixed.erase("B");
    auto made = make(spec, Reads::clamped, {});
    GroupedProduct &op = *made;
    constexpr int side = square_threads;
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
        load_to_shared(op.x[part], product, step, depth, side);
        load_to_shared(op.w[part], product, step, depth, tile);
    }
    return squares_kernel(op.out, op.operands);
}

Kernel in_tiles(const Spec &spec, const TileProblem &problem, const Knobs &k, const Make &make) {
    tile::TileOp tile = tile_op(k, problem);
    // Rows that go anywhere may not be taken out of order by a schedule: the algorithm walks as blocks do.
    bool series = problem.scattered && tile.order.resident;
    auto made = make(spec, Reads::exact,
                     {tile::row_loops(tile), series ? tile::row_series(tile, problem.columns) : 0});
    GroupedProduct &op = *made;
    op.promise_dense();
    tile::TileMatmul matmul{op.out,
                            op.products,
                            op.operands.buffer(op.kind.input),
                            op.operands.buffer("w"),
                            {},
                            op.operands.buffer("experts")};
    if (op.kind.gathers) matmul.rows = op.operands.buffer("rows");
    tile::tile_schedule_of_update(matmul, tile, op.slots, op.tiles, op.series);
    auto where = std::make_shared<WherePass>("experts");
    Kernel kernel{{op.out}, op.operands.arguments(), {where}};
    tile::use_tensor_cores(kernel, matmul, tile);
    return kernel;
}

// `op` outlives what is returned.
tile::RowProduct::Terms row_terms(const GroupedProduct &op, const RowProblem &p) {
    ImageParam x = op.operands.buffer(op.kind.input), w = op.operands.buffer("w");
    Var tile = op.tile;
    tile::RowProduct::Terms terms;
    terms.K = p.K, terms.columns = p.columns;
    terms.rows = static_cast<int>(op.operands.spec().fixed.at("B"));
    terms.x_storage = p.x, terms.w_storage = p.w;
    terms.parts = p.parts;
    terms.outer = {tile};
    terms.x = [&op, x, tile](const Expr &i, const Expr &slot) { return x(op.input_at(i, slot, tile)); };
    terms.w = [&op, w, tile](const Expr &i, const Expr &column, const Expr &part) {
        return w(op.weight_at(i, column, part, tile));
    };
    return terms;
}

Kernel in_rows(const Spec &spec, const RowProblem &problem, const Knobs &k, const Make &make) {
    auto made = make(spec, Reads::exact, {});
    GroupedProduct &op = *made;
    tile::RowProduct product(row_terms(op, problem), row_plan(k, problem), "product");
    std::vector<Expr> sums;
    for (int part = 0; part < problem.parts; part++)
        sums.push_back(product.sum(op.n, op.at_slot(), part, {op.at_tile()}));
    op.out = op.output(sums);
    op.promise_dense();
    product.schedule_update(op.out, op.n, op.slots[0], op.tiles);
    return rows_kernel(op.out, op.operands, product);
}

Kernel in_form(const Spec &spec, const ProductForms &forms, const Knobs &k, const Make &make) {
    if (k["form"] == "tiles") return in_tiles(spec, forms.tile, k, make);
    return k["form"] == "rows" ? in_rows(spec, forms.row, k, make) : in_registers(spec, k, make);
}

Space space(const Spec &spec, const ProductForms &forms) {
    Space s = product_space(forms, "columns of a thread's results");
    int slots = fixed_width(spec, "B");
    TileProblem problem = forms.tile;
    s.rule([=](const Knobs &k) { return k["form"] != "tiles" || tile_op(k, problem).rows() == slots; });
    constexpr int most_of_few = 16;
    Knobs changed;
    if (forms.tiles) {
        if (slots == tile::slab_rows) changed.set("warpgroups", "1");
        Knobs quads = changed;
        quads.set("store", "quads");
        if (problem.scattered && s.legal(s.with(quads))) changed = quads;
    } else if (Knobs few{{"form", "rows"}}; slots <= most_of_few && s.legal(s.with(few))) {
        changed = few;
    }
    s.set_fallback(changed);
    for (const auto &[name, value] : changed.values()) s.formerly(name, value); // where they do not vary
    return s;
}

} // namespace

Space grouped_expert_up_space(const Spec &spec, const Target &) {
    return space(spec, forms_of(spec, GroupedExpertUp::kind_of(spec)));
}

Kernel grouped_expert_up(const Spec &spec, const Knobs &k, const Target &) {
    Make make = [](const Spec &s, Reads reads, const TileWalk &walk) {
        return std::make_unique<GroupedExpertUp>(s, Maths::special_function_unit(), reads, walk);
    };
    return in_form(spec, forms_of(spec, GroupedExpertUp::kind_of(spec)), k, make);
}

Space grouped_expert_down_space(const Spec &spec, const Target &) {
    return space(spec, forms_of(spec, GroupedExpertDown::kind_of(spec)));
}

Kernel grouped_expert_down(const Spec &spec, const Knobs &k, const Target &) {
    Make make = [](const Spec &s, Reads reads, const TileWalk &walk) {
        return std::make_unique<GroupedExpertDown>(s, reads, walk);
    };
    return in_form(spec, forms_of(spec, GroupedExpertDown::kind_of(spec)), k, make);
}

bool grouped_experts_in_base_pack(const Spec &spec, const Target &) {
    auto out = spec.choices.find("out");
    const std::string &io = spec.choice("io");
    return spec.choice("weight") == io &&
           (out == spec.choices.end() || out->second == io || out->second == "f32");
}

} // namespace ks::cuda
