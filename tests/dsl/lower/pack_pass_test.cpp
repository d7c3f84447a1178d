// SPDX-License-Identifier: Apache-2.0
// Vectors of bf16 widened by words: every bit pattern keeps its value, and what is no such vector is left
// alone.
#include "dsl/lower/pack_pass.h"
#include "tests/support/jit_kernel.h"
#include <cstring>
#include <gtest/gtest.h>
#include <sstream>

namespace ks::test {
namespace {
using namespace Halide;

constexpr int patterns = 1 << 16;

struct Widened {
    ImageParam x{UInt(16), 1, "x"};
    Var d{"d"};
    Func y{"y"};

    explicit Widened(Storage storage) {
        x.dim(0).set_min(0);
        y(d) = widen(storage, x(d));
        y.output_buffer().dim(0).set_min(0);
    }
    Kernel kernel() { return {{y}, {x}, {std::make_shared<PackPass>()}}; }
    bool by_words() {
        Module module = lower_to_module(kernel(), "k", kernel_target("avx2"));
        std::ostringstream text;
        for (const auto &f : module.functions()) text << f.body;
        return text.str().find("let words") != std::string::npos;
    }
};

void expect_every_pattern(Widened &widened) {
    JitKernel kernel(widened.kernel(), kernel_target("avx2"));
    Buffer<uint16_t> x(patterns);
    Buffer<float> y(patterns);
    for (int i = 0; i < patterns; i++) x(i) = static_cast<uint16_t>(i);
    ASSERT_EQ(kernel({x.raw_buffer(), y.raw_buffer()}), 0);
    for (int i = 0; i < patterns; i++) {
        uint32_t bits; // of NaN too
        std::memcpy(&bits, &y(i), sizeof bits);
        ASSERT_EQ(bits, static_cast<uint32_t>(i) << 16) << i;
    }
}

TEST(PackPass, VectorsOfBf16AreWidenedByWords) {
    for (int lanes : {2, 4, 8}) {
        SCOPED_TRACE(lanes);
        Widened once(Storage::bf16), again(Storage::bf16); // a kernel is compiled once
        for (Widened *w : {&once, &again}) w->y.vectorize(w->d, lanes, TailStrategy::RoundUp);
        EXPECT_TRUE(once.by_words());
        expect_every_pattern(again);
    }
}

TEST(PackPass, OthersAreLeftAlone) {
    Widened scalar(Storage::bf16), odd(Storage::bf16), f16(Storage::f16);
    odd.y.vectorize(odd.d, 3, TailStrategy::RoundUp);
    f16.y.vectorize(f16.d, 4, TailStrategy::RoundUp);
    for (Widened *w : {&scalar, &odd, &f16}) EXPECT_FALSE(w->by_words());
}

} // namespace
} // namespace ks::test
