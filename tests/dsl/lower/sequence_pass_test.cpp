// SPDX-License-Identifier: Apache-2.0
// The sequence pass on a small ragged op: what its kernel's IR says. Results are checked on a GPU, by the
// tests of the ops that use it.
#include "dsl/kernel.h"
#include "dsl/lower/sequence_pass.h"
#include "dsl/operands.h"
#include "runtime/base/error.h"
#include "tests/support/keep_pass.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks {
namespace {

using namespace Halide;
using namespace Halide::Internal;
using testing::HasSubstr;
using testing::Not;

const Contract &running() {
    static const Contract c = [] {
        Contract made;
        made.name = "twice";
        made.version = 1;
        made.dims = {{"T", 1, 1 << 20, false, "steps"}, {"D", 1, 1 << 20, true, "channels"}};
        made.operands = {{"x", Role::input, "f32", {"T", "D"}, true, "input"},
                         {"start", Role::in_place, "f32", {"D"}, false, "added to step 0", 0, "", true},
                         {"y", Role::output, "f32", {"T", "D"}, true, "output"}};
        made.ragged = "T";
        return made;
    }();
    return c;
}

// y(d, t) = 2 x(d, t), plus the state at step 0, and at the last step minus 1; one thread a channel.
std::string kernel_text(Batch batch, bool on_gpu = true) {
    Operands in(running(), Spec(), batch);
    Var d("d"), t("t"), block("block"), thread("thread");
    Func y("y");
    Expr value = 2.f * in.load("x", {d, t}) + select(t == 0, in.state("start", {d}), 0.f);
    y(in.point({d, t})) = value - select(t == in.steps("x") - 1, 1.f, 0.f);
    in.promise(y);
    y.split(d, block, thread, 32, TailStrategy::GuardWithIf);
    if (on_gpu) {
        std::vector<VarOrRVar> order = {t, thread, block};
        for (const Var &v : in.point({})) order.push_back(v);
        y.reorder(order).gpu_threads(thread).gpu_blocks(block);
        for (const Var &v : in.point({})) y.gpu_blocks(v);
    }
    auto keep = std::make_shared<test::KeepPass>();
    lower_to_module({{y}, in.arguments(), {in.sequence_pass(y, "x"), keep}}, "twice", kernel_target("cuda"));
    std::ostringstream text;
    text << keep->kept;
    return std::regex_replace(text.str(), std::regex("y\\$[0-9]+"), "y"); // its name when it is not the first
}

TEST(SequencePass, TheKernelWalksItsSequence) {
    std::string text = kernel_text(Batch::packed);
    EXPECT_THAT(text, HasSubstr("let ks_sequence.first = if_then_else(equal_steps != 0"));
    EXPECT_THAT(
        text,
        HasSubstr("let ks_sequence.steps = if_then_else(equal_steps != 0, equal_steps, int32(seq_start["));
    EXPECT_THAT(text, HasSubstr(", 0, ks_sequence.steps)")); // the loop over time
    std::string body = text.substr(text.find("ks_sequence.steps ="));
    EXPECT_THAT(body, Not(HasSubstr("y.extent.1")));
    EXPECT_THAT(body, Not(HasSubstr("ks_sequence_")));
    size_t store = body.find("y[");
    ASSERT_NE(store, std::string::npos);
    EXPECT_THAT(body.substr(store, body.find("] =", store) - store), HasSubstr("ks_sequence.first"));
}

TEST(SequencePass, OneSequenceNeedsNoPass) {
    Operands in(running(), Spec(), Batch::one);
    EXPECT_EQ(in.sequence_pass(Func("y"), "x"), nullptr);
    EXPECT_THAT(kernel_text(Batch::one), Not(HasSubstr("ks_sequence")));
}

TEST(SequencePass, WhatItCannotServeIsRefused) {
    auto cause = [](auto &&build) -> std::string {
        try {
            build();
        } catch (const Error &e) {
            return e.what();
        }
        return "no error";
    };
    EXPECT_THAT(cause([] { kernel_text(Batch::packed, false); }),
                HasSubstr("no GPU kernel stores the output"));
}

} // namespace
} // namespace ks
