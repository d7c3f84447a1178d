// SPDX-License-Identifier: Apache-2.0
// Row product: the product of a few rows with weights that lie in rows of K,
//
//   sum(column, row, part) = initial(column, part) + sum over k of x(k, row) * w(k, column, part)
//
// bound by reading the weights once. A block owns some columns and a pass of rows; its threads share K. What
// each has summed up meets in shared memory, where sum() adds it up. Sums are f32. Vectors of the operands
// must begin at multiples of their size (the caller's promise); nothing outside the operands is read.
#pragma once
#include "dsl/kernel.h"
#include "dsl/tile/cuda/row_plan.h"
#include <functional>

namespace ks::tile {

class RowProduct {
  public:
    // An element as it is stored (buffer_type(storage)). Both may depend on `outer`.
    using Input = std::function<Halide::Expr(const Halide::Expr &k, const Halide::Expr &row)>;
    using Weight = std::function<Halide::Expr(const Halide::Expr &k, const Halide::Expr &column,
                                              const Halide::Expr &part)>;
    using Initial = std::function<Halide::Expr(const Halide::Expr &column, const Halide::Expr &part)>;
    struct Terms {
        Halide::Expr K, rows, columns; // rows and columns beyond are read as the last ones
        Storage x_storage = Storage::bf16, w_storage = Storage::bf16;
        Input x;
        Weight w;
        Initial initial;                // f32; null: 0. Loaded with the operands, not behind them
        int parts = 1;                  // products of the same x: 2 for gate and up
        std::vector<Halide::Var> outer; // more dimensions of the consumer, with blocks of their own
    };

    // Throws ks::Error as check() does.
    RowProduct(const Terms &terms, const RowPlan &plan, const std::string &name);

    // For the definition of the consumer; `outer`: where it has other coordinates there than Terms::outer.
    Halide::Expr sum(const Halide::Expr &column, const Halide::Expr &row, int part = 0,
                     std::vector<Halide::Expr> outer = {}) const;

    // Spreads `out`(column, row, outer...) over blocks and threads, and computes the product for it.
    void schedule(Halide::Func out) const;
    // The same where an update of `out` is the consumer, over `column`, then loops over rows and one outer
    // dimension. Its blocks are one dimension of the grid, so that there may be any number of them.
    void schedule_update(Halide::Func out, const Halide::Var &column, const Halide::RVar &row,
                         const Halide::RVar &outer) const;

    // What the kernel needs beside the schedule: passes, the meaning of pseudo-calls, launch bounds.
    void finish(Kernel &kernel) const;

  private:
    // Some rounds of a thread over K, and the operands of one step in its registers.
    struct Rounds {
        Halide::RDom k; // z: round; fma: x: element of a vector, y: step
        int unroll;
        Halide::Func x, w;
    };
    using Loops = std::vector<Halide::VarOrRVar>;

    std::vector<Halide::Expr> at(std::vector<Halide::Expr> inner) const; // and the outer Vars
    std::vector<Halide::Var> over(std::vector<Halide::Var> inner) const;
    int words(Storage storage) const; // of a vector
    Halide::Expr word(Storage storage,
                      const std::function<Halide::Expr(const Halide::Expr &)> &element) const;
    Halide::Expr vector_at(const Halide::RDom &k, const Halide::Expr &step, const Halide::Expr &across) const;
    Halide::Expr x_word(const Halide::Expr &row) const;
    Halide::Expr w_word(const Halide::Expr &column) const;
    // Of the one thread that starts the sums of a column.
    Halide::Expr initial(const Halide::Expr &column, const Halide::Expr &starts) const;

    void divide_k(const std::string &name);
    void schedule_product(const Halide::LoopLevel &at) const;
    static std::vector<Halide::Expr> place_of_fragment(const Halide::Expr &column, const Halide::Expr &row);
    void define_fma();
    void define_mma();
    void schedule_fma() const;
    void schedule_mma() const;
    void schedule_rounds(const Loops &inner, const Loops &steps) const;

    Terms terms_;
    RowPlan plan_;
    Halide::Expr vectors_; // of K
    Halide::Var column_{"column"}, row_{"row"}, part_{"part"}, slice_{"slice"}, lane_{"lane"}, word_{"word"},
        vector_{"vector"};
    Halide::Var eighth_{"eighth"}, quarter_{"quarter"}, half_{"half"}, odd_{"odd"}; // place in a fragment
    Halide::Var step_{"step"};                                                      // that it is of
    std::vector<Rounds> rounds_;
    Halide::Func sums_;    // of a thread
    Halide::Func partial_; // the same in shared memory
};

} // namespace ks::tile
