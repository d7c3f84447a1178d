// SPDX-License-Identifier: Apache-2.0
// Update in place: simultaneous, once per call, and an error where it would be lost.
#include "dsl/lower/assign_pass.h"
#include "runtime/base/error.h"
#include "tests/support/jit_kernel.h"
#include <gtest/gtest.h>
#include <numeric>

namespace ks::test {
namespace {
using namespace Halide;

struct Pair {
    ImageParam a{Float(32), 1, "a"}, b{Float(32), 1, "b"};
    Var x{"x"};
    Func y{"y"};

    Kernel kernel() { return {{y}, {a, b}, {std::make_shared<AssignPass>(y.name())}}; }
};

void run(Pair &p, int n, std::vector<float> &a, std::vector<float> &b, std::vector<float> &y) {
    JitKernel kernel(p.kernel(), kernel_target("avx2"));
    Buffer<float> wa(a.data(), n), wb(b.data(), n), wy(y.data(), n);
    EXPECT_EQ(kernel({wa.raw_buffer(), wb.raw_buffer(), wy.raw_buffer()}), 0);
}

TEST(AssignPass, SwapsTwoPlacesAndReadsTheOldOnes) {
    for (int n : {1, 7, 8, 21}) { // a tail, whole vectors, both
        Pair p;
        Expr sum = p.a(p.x) + 2.f * p.b(p.x);
        p.y(p.x) = assign(sum, {{p.a(p.x), p.b(p.x)}, {p.b(p.x), p.a(p.x)}}) + p.a(p.x);
        p.y.vectorize(p.x, 8, TailStrategy::GuardWithIf);
        std::vector<float> a(static_cast<size_t>(n)), b(a.size(), 100), y(a.size());
        std::iota(a.begin(), a.end(), 1.f);
        auto old = a;
        run(p, n, a, b, y);
        EXPECT_EQ(a, std::vector<float>(a.size(), 100));
        EXPECT_EQ(b, old);
        for (size_t i = 0; i < y.size(); i++) EXPECT_EQ(y[i], 2 * old[i] + 200);
    }
}

// Halide moves a call that is used twice into a let of its own, in front of the store.
TEST(AssignPass, ACallUsedTwiceAssignsOnce) {
    Pair p;
    Expr next = p.a(p.x) + 1.f, v = assign(next, {{p.a(p.x), next}});
    p.y(p.x) = v * v;
    std::vector<float> a = {1, 2, 3}, b(3), y(3);
    run(p, 3, a, b, y);
    EXPECT_EQ(a, (std::vector<float>{2, 3, 4}));
    EXPECT_EQ(y, (std::vector<float>{4, 9, 16}));
}

TEST(AssignPass, AConditionHoldsForThePlacesAlone) {
    Pair p;
    p.y(p.x) = assign(p.b(p.x), {{p.a(p.x), p.a(p.x) + p.b(p.x)}}, p.x % 2 == 1);
    std::vector<float> a = {1, 2, 3}, b = {10, 20, 30}, y(3);
    run(p, 3, a, b, y);
    EXPECT_EQ(a, (std::vector<float>{1, 22, 3}));
    EXPECT_EQ(y, b);
}

TEST(AssignPass, RefusesAConditionThatDiffersBetweenLanes) {
    Pair p;
    p.y(p.x) = assign(p.b(p.x), {{p.a(p.x), p.b(p.x)}}, p.x % 2 == 1);
    p.y.vectorize(p.x, 8, TailStrategy::GuardWithIf);
    EXPECT_THROW(lower_to_module(p.kernel(), "k", kernel_target("avx2")), Error);
}

TEST(AssignPass, RefusesWhatItCannotSee) {
    Pair p;
    Func inner("inner"); // inlined into y: its own stores do not exist
    inner(p.x) = assign(p.b(p.x), {{p.a(p.x), p.b(p.x)}});
    p.y(p.x) = inner(p.x);
    Kernel kernel{{p.y}, {p.a, p.b}, {std::make_shared<AssignPass>(inner.name())}};
    EXPECT_THROW(lower_to_module(kernel, "k", kernel_target("avx2")), Error);

    Pair q;
    q.y(q.x) = assign(q.b(q.x), {{q.a(q.x) + 1.f, q.b(q.x)}});
    EXPECT_THROW(lower_to_module(q.kernel(), "k", kernel_target("avx2")), Error);
}

} // namespace
} // namespace ks::test
