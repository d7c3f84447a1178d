// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/linear.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/lower/registers_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/tile/cuda/row_product.h"
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/tile/cuda/tile_schedule.h"
#include "schedules/cuda/row_knobs.h"
#include "schedules/cuda/tile_knobs.h"

namespace ks::cuda {
using namespace Halide;

namespace {

// Tiles of x and w in shared memory, a square of results in the registers of each thread: f32 arithmetic for
// any storage and any sizes.
Kernel in_registers(const Spec &spec, const Knobs &k) {
    LinearOfRows op(spec, LinearOfRows::Reads::clamped);
    constexpr int side = 16; // threads of a block, each way
    const int square = k.integer("square"), depth = k.integer("depth"), tile = side * square;
    Var column("column"), row("row"), cx("cx"), rx("rx"), i("i"), j("j");
    RVar step("step"), in_step("in_step");
    // A thread's results in all stages.
    auto of_thread = [&](Stage stage) {
        return stage.split(op.n, cx, i, square).split(op.m, rx, j, square).unroll(i).unroll(j);
    };
    op.y.split(op.n, column, op.n, tile, TailStrategy::GuardWithIf)
        .split(op.m, row, op.m, tile, TailStrategy::GuardWithIf);
    of_thread(op.y).reorder(i, j, cx, rx, row, column).gpu_threads(cx, rx).gpu_blocks(row, column);
    op.product.compute_at(op.y, row)
        .store_in(MemoryType::Register)
        .bound_extent(op.n, tile)
        .bound_extent(op.m, tile);
    of_thread(op.product).reorder(i, j, cx, rx).gpu_threads(cx, rx);
    of_thread(op.product.update())
        .split(op.k, step, in_step, depth, TailStrategy::GuardWithIf)
        .reorder(i, j, in_step, cx, rx, step)
        .gpu_threads(cx, rx);
    for (Func f : {op.x, op.w}) {
        Var along = f.args()[0], line = f.args()[1], lane("lane"), other("other");
        f.compute_at(op.product, step).store_in(MemoryType::GPUShared).reorder_storage(line, along);
        f.bound_extent(along, depth).bound_extent(line, tile);
        f.split(along, along, lane, side).split(line, line, other, side).reorder(along, line, lane, other);
        f.gpu_threads(lane, other).unroll(along).unroll(line);
    }
    Kernel kernel{
        {op.y}, op.operands.arguments(), {std::make_shared<PackPass>(), std::make_shared<RegistersPass>()}};
    kernel.device.expansions = ptx::instructions();
    return kernel;
}

// Tiles on tensor cores want operands and results of one 16-bit storage, in rows that begin at multiples of
// 16 bytes.
bool tile_can_serve(const Spec &spec) {
    auto has = [&](const char *choice, const std::string &value) {
        auto at = spec.choices.find(choice);
        return at != spec.choices.end() && at->second == value;
    };
    auto whole = [&](const char *dim) {
        auto at = spec.fixed.find(dim);
        return at != spec.fixed.end() && at->second % 8 == 0;
    };
    for (const char *storage : {"bf16", "f16"})
        if (has("io", storage) && has("weight", storage) && has("out", storage))
            return whole("K") && whole("P");
    return false;
}

TileProblem tile_problem(const Spec &spec) {
    TileProblem p;
    p.storage = storage_named(spec.choice("io"));
    p.K = static_cast<int>(spec.fixed.at("K"));
    return p;
}

Kernel in_tiles(const Spec &spec, const Knobs &k) {
    LinearOfRows op(spec, LinearOfRows::Reads::exact);
    op.promise_dense(static_cast<int>(spec.fixed.at("K")), static_cast<int>(spec.fixed.at("P")));
    tile::TileMatmul matmul{op.y, {op.product}, op.operands.buffer("x"), op.operands.buffer("w"), {}, {}};
    tile::TileOp tile = tile_op(k, tile_problem(spec));
    tile::tile_schedule(matmul, tile);
    Kernel kernel{{op.y}, op.operands.arguments(), {}};
    tile::use_tensor_cores(kernel, matmul, tile);
    return kernel;
}

// What is known of a width; 0: nothing.
int fixed_width(const Spec &spec, const char *dim) {
    auto at = spec.fixed.find(dim);
    return at == spec.fixed.end() ? 0 : static_cast<int>(at->second);
}

RowProblem row_problem(const Spec &spec) {
    auto storage = [&](const char *choice) {
        auto at = spec.choices.find(choice);
        return at == spec.choices.end() ? Storage::f32 : storage_named(at->second);
    };
    return {storage("io"), storage("weight"), fixed_width(spec, "K"), fixed_width(spec, "P")};
}

// Few rows: bound by reading the weights.
Kernel in_rows(const Spec &spec, const Knobs &k) {
    LinearOfRows op(spec, LinearOfRows::Reads::exact);
    RowProblem problem = row_problem(spec);
    ImageParam x = op.operands.buffer("x"), w = op.operands.buffer("w");
    tile::RowProduct::Terms terms;
    terms.K = problem.K ? Expr(problem.K) : op.operands.width("K", "x");
    terms.columns = problem.columns ? Expr(problem.columns) : w.dim(1).extent();
    terms.rows = x.dim(1).extent();
    terms.x_storage = problem.x;
    terms.w_storage = problem.w;
    terms.x = [=](const Expr &i, const Expr &row) { return x(i, row); };
    terms.w = [=](const Expr &i, const Expr &column, const Expr &) { return w(i, column); };
    terms.initial = [&](const Expr &column, const Expr &) { return op.bias(column); };
    tile::RowProduct product(terms, row_plan(k, problem), "product");
    op.y = op.output(product.sum(op.n, op.m));
    if (problem.K && problem.columns) op.promise_dense(problem.K, problem.columns);
    product.schedule(op.y);
    Kernel kernel{{op.y}, op.operands.arguments(), {std::make_shared<PackPass>()}};
    kernel.device.expansions = ptx::instructions();
    product.finish(kernel);
    return kernel;
}

} // namespace

Space linear_space(const Spec &spec, const Target &) {
    bool tiles = tile_can_serve(spec);
    Space s;
    s.knob("form", std::vector<std::string>{"squares", "tiles", "rows"}, tiles ? "tiles" : "squares",
           "squares of results in registers, tiles on tensor cores, or few rows, bound by the weights");
    s.begin_group([](const Knobs &k) { return k["form"] == "squares"; });
    s.knob("square", {2, 4, 8}, 4, "squares: rows and columns of a thread's results");
    s.knob("depth", {16, 32}, 16, "squares: elements of K in shared memory");
    s.end_group();
    s.rule([=](const Knobs &k) { return tiles || k["form"] != "tiles"; });
    TileProblem problem = tiles ? tile_problem(spec) : TileProblem();
    add_tile_knobs(s, problem, [](const Knobs &k) { return k["form"] == "tiles"; });
    add_row_knobs(s, row_problem(spec), [](const Knobs &k) { return k["form"] == "rows"; });
    return s;
}

Kernel linear(const Spec &spec, const Knobs &k, const Target &) {
    if (k["form"] == "rows") return in_rows(spec, k);
    return k["form"] == "tiles" ? in_tiles(spec, k) : in_registers(spec, k);
}

bool linear_in_base_pack(const Spec &spec, const Target &) {
    const std::string &io = spec.choice("io"), &weight = spec.choice("weight"), &out = spec.choice("out");
    return spec.choice("panel") == "1" && (weight == io || io == "f32") && (out == io || out == "f32");
}

} // namespace ks::cuda
