// SPDX-License-Identifier: Apache-2.0
// What a block shares out among its threads becomes registers, or is refused.
#include "dsl/kernel.h"
#include "dsl/lower/registers_pass.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;
using namespace Halide::Internal;

struct Sizes : LoweringPass { // of the arrays in registers
    using IRMutator::visit;
    std::vector<int> found;
    Stmt visit(const Allocate *op) override {
        if (op->memory_type == MemoryType::Register) found.push_back(op->constant_allocation_size());
        return IRMutator::visit(op);
    }
    void verify() const override {}
};

// Sums of 64 columns in a block of 16 threads, four each; `place` is what a thread reads at its column.
struct Case {
    ImageParam x{Float(32), 2, "x"};
    Var i{"i"}, block{"block"}, thread{"thread"}, j{"j"};
    RDom k{0, 8, "k"};
    Func sum{"sum"}, y{"y"};

    explicit Case(const std::function<Expr(Expr)> &place) {
        sum(i) = 0.f;
        sum(i) += x(i, k);
        y(i) = sum(place(i));
        y.split(i, block, i, 64).split(i, thread, j, 4).unroll(j).gpu_threads(thread).gpu_blocks(block);
        sum.compute_at(y, block).store_in(MemoryType::Register);
        sum.split(i, thread, j, 4).unroll(j).gpu_threads(thread);
        sum.update().split(i, thread, j, 4).unroll(j).reorder(j, k, thread).gpu_threads(thread);
        y.output_buffer().dim(0).set_bounds(0, 256);
    }
    std::vector<int> sizes(bool with_pass) {
        auto sizes = std::make_shared<Sizes>();
        std::shared_ptr<LoweringPass> pass;
        if (with_pass) pass = std::make_shared<RegistersPass>();
        lower_to_module({{y}, {x}, {pass, sizes}}, "k", kernel_target("cuda"));
        return sizes->found;
    }
};

TEST(RegistersPass, EachThreadHasItsOwnElements) {
    auto same = [](const Expr &i) { return i; };
    EXPECT_EQ(Case(same).sizes(false), (std::vector<int>{64})); // as Halide leaves it: all of it in each
    EXPECT_EQ(Case(same).sizes(true), (std::vector<int>{4}));
}

TEST(RegistersPass, AnElementOfAnotherThreadIsRefused) {
    EXPECT_THROW(Case([](const Expr &i) { return i / 64 * 64 + (63 - i % 64); }).sizes(true), Error);
}

TEST(RegistersPass, WithoutAnArrayItHasNothingToDo) {
    Func y("y");
    Var i("i"), block("block"), thread("thread");
    y(i) = cast<float>(i);
    y.gpu_tile(i, block, thread, 64, TailStrategy::GuardWithIf);
    EXPECT_THROW(lower_to_module({{y}, {}, {std::make_shared<RegistersPass>()}}, "k", kernel_target("cuda")),
                 Error);
}

} // namespace
} // namespace ks::test
