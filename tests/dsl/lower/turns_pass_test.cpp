// SPDX-License-Identifier: Apache-2.0
#include "dsl/kernel.h"
#include "dsl/lower/turns_pass.h"
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/instructions.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks {
namespace {
using namespace Halide;

// Rows of x, sixteen in each turn of a thread.
std::string text(bool with_pass) {
    ImageParam x(Float(32), 2, "x");
    Var i("i"), row("row"), turn("turn"), in_turn("in_turn"), block("block"), thread("thread");
    Func y("y");
    y(i, row) = x(i, row) * 2;
    y.split(i, block, thread, 32)
        .split(row, turn, in_turn, 16)
        .reorder(in_turn, turn, thread, block)
        .unroll(in_turn)
        .gpu_threads(thread)
        .gpu_blocks(block);
    Kernel kernel{{y}, {x}, {}};
    if (with_pass) kernel.passes.push_back(std::make_shared<TurnsPass>(turn.name()));
    return ptx::ptx_of(lower_to_module(kernel, "turns", kernel_target("cuda")));
}

// What it is for shows in the convolution, which would spill (tests/schedules/cuda/resources_test.cpp).
TEST(TurnsPass, TheNumberOfATurnGoesThroughACall) {
    const std::vector<ptx::PseudoCall> calls = ptx::pseudo_calls(text(true));
    ASSERT_FALSE(calls.empty());
    for (const ptx::PseudoCall &call : calls) EXPECT_EQ(call.name, "ks_turn");
    EXPECT_TRUE(ptx::pseudo_calls(text(false)).empty());
    EXPECT_NO_THROW(ptx::expand_pseudo_calls(text(true), ptx::instructions()));
}

TEST(TurnsPass, WantsItsLoop) {
    ImageParam x(Float(32), 1, "x");
    Var i("i"), turn("turn"), block("block"), thread("thread");
    Func y("y");
    y(i) = x(i);
    y.gpu_tile(i, block, thread, 32);
    Kernel kernel{{y}, {x}, {std::make_shared<TurnsPass>(turn.name())}};
    EXPECT_THROW(lower_to_module(kernel, "none", kernel_target("cuda")), Error);
}

} // namespace
} // namespace ks
