// SPDX-License-Identifier: Apache-2.0
// Words of two 16-bit elements or of one f32: results, and shapes that are refused.
#include "dsl/kernel.h"
#include "dsl/lower/words_pass.h"
#include "runtime/base/error.h"
#include "tests/support/jit_kernel.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;

// y of a row: the word of x with 1 added to both halves.
struct Pairs {
    ImageParam x{UInt(16), 1, "x"};
    Var d{"d"}, p{"p"}, half{"half"};
    Func tile{"tile"}, y{"y"};
    std::shared_ptr<WordsPass> pass = std::make_shared<WordsPass>();

    explicit Pairs(const Expr &first = Expr()) {
        x.dim(0).set_min(0);
        tile(p) = word_at(x(first.defined() ? first : 2 * p));
        Expr word = tile(d / 2) + Expr(uint32_t(0x00010001));
        y(d) = select(d % 2 == 0, low_half(word), high_half(word));
        y.output_buffer().dim(0).set_min(0);
        y.split(d, p, half, 2, TailStrategy::RoundUp).unroll(half);
        tile.compute_root().store_in(MemoryType::Stack).bound_storage(p, 64);
    }
    Kernel kernel() { return {{y}, {x}, {pass}}; }
};

void run(Pairs &pairs) {
    JitKernel kernel(pairs.kernel(), kernel_target("avx2"));
    Buffer<uint16_t> x(64), y(64);
    for (int i = 0; i < 64; i++) x(i) = static_cast<uint16_t>(1000 + 7 * i);
    ASSERT_EQ(kernel({x.raw_buffer(), y.raw_buffer()}), 0);
    for (int i = 0; i < 64; i++) EXPECT_EQ(y(i), 1001 + 7 * i);
    EXPECT_GE(pairs.pass->loads(), 1);
    EXPECT_GE(pairs.pass->stores(), 1);
}

TEST(WordsPass, OneWordAtATime) {
    Pairs pairs;
    run(pairs);
}

TEST(WordsPass, FourWordsAtATime) { // Halide makes the strided load of slices
    Pairs pairs;
    pairs.tile.vectorize(pairs.p, 4, TailStrategy::RoundUp);
    run(pairs);
}

// f32 are loaded as words of one element, here four at a time, and stored by twos.
TEST(WordsPass, WordsOfOneElement) {
    ImageParam x(Float(32), 1, "x");
    Var d("d"), p("p"), half("half");
    Func tile("tile"), y("y");
    x.dim(0).set_min(0);
    tile(p) = reinterpret<float>(word_at(x(p)));
    Expr pair = pair_f32(tile(d / 2 * 2) + 1.f, tile(d / 2 * 2 + 1) - 1.f);
    y(d) = select(d % 2 == 0, low_half(pair), high_half(pair));
    y.output_buffer().dim(0).set_min(0);
    y.split(d, p, half, 2, TailStrategy::RoundUp).unroll(half);
    tile.compute_root()
        .store_in(MemoryType::Stack)
        .bound_storage(p, 64)
        .vectorize(p, 4, TailStrategy::RoundUp);
    auto pass = std::make_shared<WordsPass>();
    JitKernel kernel({{y}, {x}, {pass}}, kernel_target("avx2"));
    Buffer<float> in(64), out(64);
    for (int i = 0; i < 64; i++) in(i) = 1.5f * static_cast<float>(i);
    ASSERT_EQ(kernel({in.raw_buffer(), out.raw_buffer()}), 0);
    for (int i = 0; i < 64; i++) EXPECT_EQ(out(i), in(i) + (i % 2 ? -1.f : 1.f)) << i;
    EXPECT_EQ(pass->stores(), 1);
}

TEST(WordsPass, WhatIsNoWordIsRefused) {
    Var p("p");
    Pairs odd(2 * Var("p") + 1), sparse(4 * Var("p"));
    EXPECT_THROW(lower_to_module(odd.kernel(), "k", kernel_target("avx2")), Error);
    sparse.tile.vectorize(sparse.p, 4, TailStrategy::RoundUp);
    EXPECT_THROW(lower_to_module(sparse.kernel(), "k", kernel_target("avx2")), Error);

    ImageParam wide(UInt(64), 1, "wide");
    Func f("f");
    f(p) = word_at(wide(p));
    EXPECT_THROW(lower_to_module({{f}, {wide}, {std::make_shared<WordsPass>()}}, "k", kernel_target("avx2")),
                 Error);
}

TEST(WordsPass, HalfAWordIsRefused) {
    Pairs rolled; // the pair is a loop: its halves are chosen at run time
    Func y("y"), z("z");
    Var d("d");
    y(d) = low_half(cast<uint32_t>(d));
    EXPECT_THROW(lower_to_module({{y}, {}, {std::make_shared<WordsPass>()}}, "k", kernel_target("avx2")),
                 Error);
    z(d) = high_half(cast<uint32_t>(d));
    EXPECT_THROW(lower_to_module({{z}, {}, {std::make_shared<WordsPass>()}}, "k", kernel_target("avx2")),
                 Error);
}

} // namespace
} // namespace ks::test
