// SPDX-License-Identifier: Apache-2.0
// Matrix products as algorithms of the language, for the tests of their tile operation.
#pragma once
#include "dsl/kernel.h"
#include "dsl/lower/pack_pass.h"
#include "dsl/ptx/instructions.h"
#include "dsl/tile/cuda/tile_kernel.h"
#include "dsl/tile/cuda/tile_schedule.h"
#include "tests/support/device_text.h"

namespace ks::tile {

struct Shape {
    int M, N, K;    // N: columns of the output (of each product)
    int stride = 0; // elements from row to row of A and W; 0: K
    bool symbolic_rows = false;
    int experts = 0; // 0: none
    // y = gate(row) * (y + bias(n)) + residual(n, row), with the bias from Halide's shared memory if so
    // asked.
    bool epilogue = false, shared_bias = false;
};

// y = product of a and w, or activation(gate) * up for two products.
struct Example {
    using Activation = std::function<Halide::Expr(const Halide::Expr &)>;

    TileMatmul matmul;
    Shape shape;
    TileOp op;
    Halide::Var n{"n"}, row{"row"}, tile{"tile"};
    Halide::RDom k;
    Halide::ImageParam bias{Halide::Float(32), 1, "bias"}, gate{Halide::Float(32), 1, "gate"},
        residual{Halide::UInt(16), 2, "residual"};
    Halide::Func staged_bias{"staged_bias"};

    Example(const Shape &s, TileOp o, const Activation &activation = {}) : shape(s), op(o), k(0, s.K, "k") {
        using namespace Halide;
        op.K = s.K;
        if (!shape.stride) shape.stride = s.K;
        matmul.a = ImageParam(UInt(16), 2, "a");
        matmul.w = ImageParam(UInt(16), 2, "w");
        if (op.gathered) matmul.rows = ImageParam(Int(32), 1, "rows");
        if (s.experts) matmul.experts = ImageParam(Int(32), 1, "experts");
        Expr from =
            op.gathered ? unsafe_promise_clamped(matmul.rows(row_of_all()), 0, s.M - 1) : row_of_all();
        Expr first =
            s.experts ? Expr(unsafe_promise_clamped(matmul.experts(tile), 0, s.experts - 1) * all_columns())
                      : Expr(0);
        for (int i = 0; i < op.products; i++) {
            Func product(i ? "up" : "gate");
            product(at(n)) = 0.f;
            product(at(n)) +=
                widen(op.storage, matmul.a(k, from)) * widen(op.storage, matmul.w(k, first + n + i * s.N));
            matmul.products.push_back(product);
        }
        staged_bias(n) = bias(s.shared_bias ? Expr(clamp(n, 0, s.N - 1)) : Expr(n));
        auto result = [&](const Expr &column) {
            Expr y = matmul.products[0](at(column));
            if (activation) y = activation(y);
            if (op.products == 2) y = y * matmul.products[1](at(column));
            if (!shape.epilogue) return y;
            Expr sum = y + staged_bias(column);
            return gate(row_of_all()) * sum + widen(op.storage, residual(column, row_of_all()));
        };
        matmul.out = Func("y");
        matmul.out(at(n)) = PackPass::narrow(op.storage, result(n));
        constrain();
    }

    int all_columns() const { return op.products * shape.N; }
    Halide::Expr row_of_all() const { return shape.experts ? tile * op.rows() + row : Halide::Expr(row); }
    std::vector<Halide::Expr> at(const Halide::Expr &column) const {
        if (shape.experts) return {column, row, tile};
        return {column, row};
    }

    // The kernel with tensor cores, or the same schedule without them.
    Kernel kernel(bool tensor_cores = true) const {
        tile_schedule(matmul, op);
        if (shape.shared_bias)
            Halide::Func(staged_bias)
                .compute_at(matmul.out, Halide::Var("tile"))
                .store_in(Halide::MemoryType::GPUShared)
                .gpu_threads(n);
        return scheduled(tensor_cores);
    }
    Kernel scheduled(bool tensor_cores = true) const {
        Kernel made{{matmul.out}, {matmul.a, matmul.w}, {}};
        if (matmul.rows.defined()) made.arguments.push_back(matmul.rows);
        if (matmul.experts.defined()) made.arguments.push_back(matmul.experts);
        if (shape.epilogue) made.arguments.insert(made.arguments.end(), {bias, gate, residual});
        if (tensor_cores) {
            use_tensor_cores(made, matmul, op);
        } else {
            made.passes = {std::make_shared<PackPass>()};
            made.device.expansions = ptx::instructions();
        }
        return made;
    }
    // The text of the device, finished.
    std::string text() const { return test::device_text(kernel()); }

  private:
    void constrain() {
        const Shape &s = shape;
        matmul.a.dim(0).set_bounds(0, s.K);
        matmul.a.dim(1).set_min(0).set_stride(s.stride);
        matmul.w.dim(0).set_bounds(0, s.K);
        matmul.w.dim(1).set_bounds(0, std::max(s.experts, 1) * all_columns()).set_stride(s.stride);
        if (matmul.rows.defined()) matmul.rows.dim(0).set_min(0);
        if (matmul.experts.defined()) matmul.experts.dim(0).set_min(0);
        Halide::OutputImageParam y = matmul.out.output_buffer();
        y.dim(0).set_bounds(0, s.N);
        y.dim(1).set_min(0).set_stride(s.N);
        if (s.experts) {
            y.dim(1).set_extent(op.rows());
            y.dim(2).set_bounds(0, s.M / op.rows()).set_stride(op.rows() * s.N);
        } else if (!s.symbolic_rows) {
            y.dim(1).set_extent(s.M);
        }
        y.set_host_alignment(16);
        bias.dim(0).set_bounds(0, s.N);
        gate.dim(0).set_min(0);
        residual.dim(0).set_bounds(0, s.N);
        residual.dim(1).set_min(0).set_stride(s.N);
    }
};

} // namespace ks::tile
