// SPDX-License-Identifier: Apache-2.0
// Guards: the chain of tests of an unrolled tail becomes one.
#include "dsl/kernel.h"
#include "dsl/lower/guards_pass.h"
#include "runtime/base/error.h"
#include "tests/support/jit_kernel.h"
#include "tests/support/keep_pass.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;
using namespace Halide::Internal;

struct Tests : IRVisitor { // of if statements, those in the untested copy apart
    using IRVisitor::visit;
    int all = 0, with_else = 0, inside_then = 0;
    void visit(const IfThenElse *op) override {
        all++;
        if (!op->else_case.defined()) return IRVisitor::visit(op);
        with_else++;
        int before = all;
        op->then_case.accept(this);
        inside_then += all - before;
        op->else_case.accept(this);
    }
};

struct Case {
    ImageParam x{Float(32), 2, "x"};
    Var d{"d"}, t{"t"}, tile{"tile"}, in_tile{"in_tile"};
    Func y{"y"};
    explicit Case(TailStrategy tail) {
        y(d, t) = x(d, t) * 2.f + cast<float>(t);
        y.split(t, tile, in_tile, 4, tail).reorder(in_tile, d, tile).unroll(in_tile);
    }
    Kernel kernel(std::shared_ptr<LoweringPass> last = nullptr) {
        return {{y}, {x}, {std::make_shared<GuardsPass>(y.name(), tile.name()), std::move(last)}};
    }
};

TEST(GuardsPass, OneTestATile) {
    Case c(TailStrategy::GuardWithIf);
    c.y.never_partition_all();
    auto keep = std::make_shared<KeepPass>();
    lower_to_module(c.kernel(keep), "k", kernel_target("avx2"));
    Tests tests;
    keep->kept.accept(&tests);
    EXPECT_EQ(tests.with_else, 1);
    EXPECT_EQ(tests.inside_then, 0);
    EXPECT_GE(tests.all, 4); // the chain, for the tail
}

TEST(GuardsPass, EveryLengthIsRight) {
    for (int steps : {1, 2, 3, 4, 5, 7, 8, 11}) {
        Case c(TailStrategy::GuardWithIf);
        c.y.never_partition_all();
        JitKernel kernel(c.kernel(), kernel_target("avx2"));
        Buffer<float> x(3, steps), y(3, steps + 8);
        x.fill(1.5f);
        y.fill(-1.f);
        Buffer<float> view = y.cropped(1, 0, steps);
        ASSERT_EQ(kernel({x.raw_buffer(), view.raw_buffer()}), 0);
        for (int t = 0; t < steps + 8; t++)
            for (int d = 0; d < 3; d++) EXPECT_EQ(y(d, t), t < steps ? 3.f + static_cast<float>(t) : -1.f);
    }
}

TEST(GuardsPass, NothingToDoIsAnError) {
    Case c(TailStrategy::RoundUp);
    EXPECT_THROW(lower_to_module(c.kernel(), "k", kernel_target("avx2")), Error);
}

} // namespace
} // namespace ks::test
