// SPDX-License-Identifier: Apache-2.0
// The forms of a product with weights in rows of K, chosen by the knob `form`:
//
//   squares   of results in the registers of each thread: f32 arithmetic for any storage and any sizes
//   tiles     on tensor cores (dsl/tile/cuda/tile_op.h): 16-bit operands of known widths
//   rows      few of them, bound by reading the weights (dsl/tile/cuda/row_plan.h)
//
// The op says what its product is. Here are the knobs, which form can serve, and what the kernels of all such
// ops have in common.
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"
#include "dsl/tile/cuda/row_product.h"
#include "schedules/cuda/row_knobs.h"
#include "schedules/cuda/tile_knobs.h"

namespace ks::cuda {

struct ProductForms {
    bool tiles = false, rows = true; // whether they can serve; squares always can
    TileProblem tile;
    RowProblem row;
};

// What a Spec fixes of a width; 0: nothing.
int fixed_width(const Spec &spec, const std::string &dim);

// A product over K for the width `columns`, of operands with the storages `io` and `weight`. Tiles can serve
// where the choices `of_tiles` are all one 16-bit storage, rows of K begin at multiples of 16 bytes and those
// of results have an even number.
ProductForms product_forms(const Spec &spec, const std::string &columns,
                           const std::vector<std::string> &of_tiles);

// The knobs of all forms; those of a form vary only in it. `square`: what that knob counts.
Space product_space(const ProductForms &forms, const std::string &square);

// Squares: threads of a block, each way.
constexpr int square_threads = 16;

// Squares: loads `operand`(k, line, ...) to shared memory for each step of `product`, which is `depth`
// elements of K of so many lines, both multiples of square_threads.
void load_to_shared(Halide::Func operand, const Halide::Func &product, const Halide::RVar &step, int depth,
                    int lines);

Kernel squares_kernel(const Halide::Func &out, const Operands &operands);
Kernel rows_kernel(const Halide::Func &out, const Operands &operands, const tile::RowProduct &product);

} // namespace ks::cuda
