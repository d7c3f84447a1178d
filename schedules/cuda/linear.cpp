// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/linear.h"
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/tile/cuda/tile_schedule.h"
#include "schedules/cuda/product_forms.h"
#include "schedules/cuda/usual_products.h"

namespace ks::cuda {
using namespace Halide;

namespace {

ProductForms forms_of(const Spec &spec) {
    ProductForms forms = product_forms(spec, "P", {"io", "weight", "out"});
    forms.tile.splits = true;
    return forms;
}

// Tiles of x and w in shared memory, a square of results in the registers of each thread.
Kernel in_registers(const Spec &spec, const Knobs &k) {
    LinearOfRows op(spec, Reads::clamped);
    const int square = k.integer("square"), depth = k.integer("depth"), tile = square_threads * square;
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
    for (const Func &operand : {op.x, op.w}) load_to_shared(operand, op.product, step, depth, tile);
    return squares_kernel(op.y, op.operands);
}

Kernel in_tiles(const Spec &spec, const Knobs &k) {
    ProductForms forms = forms_of(spec);
    LinearOfRows op(spec, Reads::exact);
    op.promise_dense();
    tile::TileMatmul matmul{op.y, {op.product}, op.operands.buffer("x"), op.operands.buffer("w"), {}, {}};
    tile::TileOp tile = tile_op(k, forms.tile);
    tile::tile_schedule(matmul, tile);
    Kernel kernel{{op.y}, op.operands.arguments(), {}};
    tile::use_tensor_cores(kernel, matmul, tile);
    return kernel;
}

Kernel in_rows(const Spec &spec, const Knobs &k) {
    LinearOfRows op(spec, Reads::exact);
    RowProblem problem = forms_of(spec).row;
    ImageParam x = op.operands.buffer("x"), w = op.operands.buffer("w");
    tile::RowProduct::Terms terms;
    terms.K = op.K, terms.columns = op.N;
    terms.rows = x.dim(1).extent();
    terms.x_storage = problem.x;
    terms.w_storage = problem.w;
    terms.x = [=](const Expr &i, const Expr &row) { return x(i, row); };
    terms.w = [=](const Expr &i, const Expr &column, const Expr &) { return w(i, column); };
    terms.initial = [&](const Expr &column, const Expr &) { return op.bias(column); };
    tile::RowProduct product(terms, row_plan(k, problem), "product");
    op.y = op.output(product.sum(op.n, op.m));
    if (!spec.is_base()) op.promise_dense();
    product.schedule(op.y);
    return rows_kernel(op.y, op.operands, product);
}

} // namespace

Space linear_space(const Spec &spec, const Target &) {
    return product_space(forms_of(spec), "rows and columns of a thread's results");
}

Kernel linear(const Spec &spec, const Knobs &k, const Target &) {
    if (k["form"] == "rows") return in_rows(spec, k);
    return k["form"] == "tiles" ? in_tiles(spec, k) : in_registers(spec, k);
}

bool linear_in_base_pack(const Spec &spec, const Target &) {
    const std::string &io = spec.choice("io"), &weight = spec.choice("weight"), &out = spec.choice("out");
    return spec.choice("panel") == "1" && (weight == io || io == "f32") && (out == io || out == "f32");
}

std::vector<UsualKernel> usual_linears(const Spec &base, const Target &target) {
    constexpr int eight = 8;
    const Spec spec{base.choices, {}, {{"K", eight}, {"P", eight}}};
    const Space space = linear_space(spec, target);
    std::vector<UsualKernel> kernels;
    for (const UsualProduct &usual : usual_products(forms_of(spec))) {
        kernels.push_back({spec, space.with(usual.changed)});
        Dims &most = kernels.back().most;
        if (usual.rows) most["M"] = usual.rows;
        if (usual.columns) most["P"] = usual.columns;
    }
    kernels.push_back({spec, space.fallback()});
    return kernels;
}

} // namespace ks::cuda
