// SPDX-License-Identifier: Apache-2.0
#include "schedules/cuda/linear.h"

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
    return {{op.y}, op.operands.arguments(), {}};
}

} // namespace

Space linear_space(const Spec &, const Target &) {
    Space s;
    s.knob("square", {2, 4, 8}, 4, "rows and columns of a thread's results");
    s.knob("depth", {16, 32}, 16, "elements of K in shared memory");
    return s;
}

Kernel linear(const Spec &spec, const Knobs &k, const Target &) { return in_registers(spec, k); }

bool linear_in_base_pack(const Spec &spec, const Target &) {
    const std::string &io = spec.choice("io"), &weight = spec.choice("weight"), &out = spec.choice("out");
    return spec.choice("panel") == "1" && (weight == io || io == "f32") && (out == io || out == "f32");
}

} // namespace ks::cuda
