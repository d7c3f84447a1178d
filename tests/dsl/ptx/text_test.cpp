// SPDX-License-Identifier: Apache-2.0
// Pseudo-calls in PTX as Halide 21 writes it: both what the tests hold as text and what the compiler says
// today.
#include "Halide.h"
#include "dsl/ptx/text.h"
#include "runtime/base/error.h"
#include <gmock/gmock.h>

namespace ks::ptx {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string two_calls = R"(.version 7.0
.target sm_80
.address_size 64

.extern .func  (.param .b32 func_retval0) ks_tanh
(
	.param .b32 ks_tanh_param_0
)
;
.extern .func ks_store
(
	.param .b64 ks_store_param_0,
	.param .b32 ks_store_param_1
)
;
.visible .entry kernel(
	.param .u64 .ptr .align 1 kernel_param_0
)
{
	ld.global.nc.b32 	%r8, [%rd6];
	{ // callseq 0, 0
	.param .b32 	param0;
	st.param.b32 	[param0], %r8;
	.param .b32 	retval0;
	call.uni (retval0), ks_tanh, (param0);
	ld.param.b32 	%r9, [retval0];
	} // callseq 0
	{ // callseq 1, 0
	.param .b64 	param0;
	st.param.b64 	[param0], %rd6;
	.param .b32 	param1;
	st.param.b32 	[param1], 7;
	call.uni ks_store, (param0, param1);
	} // callseq 1
	ret;
}
)";

std::string tanh(const PseudoCall &c) {
    return "tanh.approx.f32 " + c.result + ", " + c.arguments.at(0) + ";";
}
std::string store(const PseudoCall &c) {
    EXPECT_EQ(c.result, "");
    return "st.global.b32 [" + c.arguments.at(0) + "], " + c.arguments.at(1) + ";";
}

TEST(PtxText, CallsBecomeTheirInstructions) {
    EXPECT_THAT(undefined_calls(two_calls), ElementsAre("ks_store", "ks_tanh"));
    std::string ptx = expand_pseudo_calls(two_calls, {{"ks_tanh", tanh}, {"ks_store", store}});
    EXPECT_THAT(ptx, HasSubstr("\t{ tanh.approx.f32 %r9, %r8; }\n\t{ st.global.b32 [%rd6], 7; }\n\tret;"));
    EXPECT_THAT(ptx, Not(HasSubstr("ks_")));
    EXPECT_THAT(ptx, HasSubstr("\n.address_size 64\n\n.visible .entry kernel("));
    EXPECT_THAT(undefined_calls(ptx), ElementsAre());
}

TEST(PtxText, CallsAreListedInOrder) {
    std::vector<PseudoCall> calls = pseudo_calls(two_calls);
    ASSERT_EQ(calls.size(), 2u);
    EXPECT_EQ(calls[0].name, "ks_tanh");
    EXPECT_EQ(calls[0].result, "%r9");
    EXPECT_EQ(calls[1].name, "ks_store");
    EXPECT_THAT(calls[1].arguments, ElementsAre("%rd6", "7"));
}

TEST(PtxText, AnUnknownCallIsAnErrorThatNamesIt) {
    try {
        expand_pseudo_calls(two_calls, {{"ks_tanh", tanh}});
        FAIL();
    } catch (const Error &e) {
        EXPECT_THAT(e.what(), HasSubstr("ks_store"));
    }
}

TEST(PtxText, CallsOfOthersStay) {
    std::string ptx = two_calls;
    for (size_t at; (at = ptx.find("ks_tanh")) != std::string::npos;) ptx.replace(at, 7, "my_tanh");
    std::string out = expand_pseudo_calls(ptx, {{"ks_store", store}});
    EXPECT_THAT(out, HasSubstr(".extern .func  (.param .b32 func_retval0) my_tanh"));
    EXPECT_THAT(out, HasSubstr("call.uni (retval0), my_tanh, (param0);"));
    EXPECT_THAT(undefined_calls(out), ElementsAre("my_tanh"));
}

// 128 bits travel as two registers: what is opaque to LLVM, such as the fragments of tensor cores.
TEST(PtxText, CallsTakeAndGiveTwoRegisters) {
    auto calls = pseudo_calls(R"(	{ // callseq 0, 0
	.param .align 16 .b8 	param0[16];
	st.param.v2.b64 	[param0], {%rd1, %rd2};
	.param .b32 	param1;
	st.param.b32 	[param1], %r4;
	.param .align 16 .b8 	retval0[16];
	call.uni (retval0), ks_add, (param0, param1);
	ld.param.v2.b64 	{%rd3, %rd4}, [retval0];
	} // callseq 0
)");
    ASSERT_EQ(calls.size(), 1u);
    EXPECT_EQ(calls[0].name, "ks_add");
    EXPECT_THAT(calls[0].arguments, ElementsAre("{%rd1, %rd2}", "%r4"));
    EXPECT_EQ(calls[0].result, "{%rd3, %rd4}");
}

TEST(PtxText, BrokenCallsAreRefused) {
    std::string cut = two_calls.substr(0, two_calls.find("} // callseq 1"));
    EXPECT_THROW(expand_pseudo_calls(cut, {{"ks_tanh", tanh}, {"ks_store", store}}), Error);
    std::string skipped = two_calls;
    skipped.replace(skipped.find("[param1]"), 8, "[param2]");
    EXPECT_THROW(expand_pseudo_calls(skipped, {{"ks_tanh", tanh}, {"ks_store", store}}), Error);
    std::string nameless = two_calls;
    nameless.replace(nameless.find("call.uni ks_store"), 17, "call.uni ");
    EXPECT_THROW(expand_pseudo_calls(nameless, {{"ks_tanh", tanh}, {"ks_store", store}}), Error);
}

TEST(PtxText, RetargetChangesBothDirectivesAndNothingElse) {
    std::string ptx = retarget(two_calls, "8.0", "sm_90a");
    EXPECT_EQ(ptx.find(".version 8.0\n.target sm_90a\n.address_size 64\n"), 0u);
    EXPECT_EQ(retarget(ptx, "7.0", "sm_80"), two_calls);
    EXPECT_THROW(retarget("// nothing\n", "8.0", "sm_90a"), Error);
}

// Ours against the compiler of today: its calls must have the shape that the tests above hold.
// Before the first instruction; the text is for sm_90 at least, and no older than the instruction.
TEST(PtxText, KernelsWaitForTheLaunchBefore) {
    std::string late = with_dependent_launches(two_calls, false),
                early = with_dependent_launches(two_calls, true);
    EXPECT_THAT(late, HasSubstr(".version 7.8\n.target sm_90\n"));
    EXPECT_THAT(late, HasSubstr(")\n{\n\tgriddepcontrol.wait;"));
    EXPECT_THAT(late, Not(HasSubstr("launch_dependents")));
    EXPECT_THAT(early, HasSubstr("{\n\tgriddepcontrol.launch_dependents;\n\tgriddepcontrol.wait;"));
    std::string younger = with_dependent_launches(retarget(two_calls, "8.0", "sm_90a"), false);
    EXPECT_THAT(younger, HasSubstr(".version 8.0\n.target sm_90a\n"));
}

TEST(PtxText, PrefetchIsOfVectorLoadsAlone) {
    std::string made = with_prefetch(".version 7.0\n.target sm_80\n\tld.global.nc.v4.b32 \t{%r1, %r2, %r3, "
                                     "%r4}, [%rd1];\n\tld.global.nc.b32 \t%r5, [%rd1];\n",
                                     128);
    EXPECT_THAT(made, HasSubstr("ld.global.nc.L2::128B.v4.b32 \t{%r1"));
    EXPECT_THAT(made, HasSubstr("ld.global.nc.b32 \t%r5"));
    EXPECT_THAT(made, HasSubstr(".version 7.4\n.target sm_80\n"));
}

TEST(PtxText, ReadsWhatHalideWrites) {
    using namespace Halide;
    ImageParam x(Float(32), 1, "x");
    Var i("i"), block("block"), thread("thread");
    Func y("y");
    y(i) = Internal::Call::make(Float(32), "ks_tanh", {x(i)}, Internal::Call::PureExtern);
    y.gpu_tile(i, block, thread, 32, TailStrategy::RoundUp);
    Module module = y.compile_to_module(
        {x}, "kernel", Target("x86-64-linux-cuda-cuda_capability_80-no_asserts-no_bounds_query-no_runtime"));
    std::string ptx;
    for (const auto &b : module.buffers())
        if (b.name().find("gpu_source_kernels") != std::string::npos)
            ptx.assign(reinterpret_cast<const char *>(b.data()), b.size_in_bytes() - 1);
    EXPECT_THAT(undefined_calls(ptx), ElementsAre("ks_tanh"));
    std::string out = expand_pseudo_calls(ptx, {{"ks_tanh", tanh}});
    EXPECT_THAT(out, HasSubstr("tanh.approx.f32 %r"));
    EXPECT_THAT(undefined_calls(out), ElementsAre());
}

TEST(PtxText, LaunchBoundsAreThoseOfEveryKernel) {
    std::string ptx = with_launch_bounds(".visible .entry a(\n.param .b32 p\n)\n{\nret;\n}\n"
                                         ".visible .entry b(\n.param .b32 p\n)   // @b\n{\nret;\n}\n",
                                         128, 4);
    size_t first = ptx.find(".maxntid 128, 1, 1\n.minnctapersm 4\n{");
    ASSERT_NE(first, std::string::npos);
    EXPECT_NE(ptx.find(".maxntid 128, 1, 1\n.minnctapersm 4\n{", first + 1), std::string::npos);
    EXPECT_THROW(with_launch_bounds(".version 7.1", 128, 4), Error);
}

TEST(PtxText, LaunchBoundsOfKernelsWithLoops) {
    std::string ptx = with_launch_bounds(".entry a(\n.param .b32 p\n)\n{\n@%p1 bra $L1;\n$L1:\nret;\n}\n"
                                         ".entry b(\n.param .b32 p\n)\n{\n$L2:\n@%p1 bra $L2;\nret;\n}\n"
                                         ".entry c(\n.param .b32 p\n)\n{\nbra.uni $L2;\n$L2:\nret;\n}\n",
                                         128, 4, 3);
    size_t a = ptx.find(".minnctapersm 4\n{\n@%p1 bra $L1;"), b = ptx.find(".minnctapersm 3\n{\n$L2:"),
           c = ptx.find(".minnctapersm 4\n{\nbra.uni $L2;");
    EXPECT_LT(a, b);
    EXPECT_LT(b, c);
    EXPECT_LT(c, ptx.size());
}

} // namespace
} // namespace ks::ptx
