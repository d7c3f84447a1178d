// SPDX-License-Identifier: Apache-2.0
// Asynchronous copies: both shapes of a copy, what stays as it is, and what is refused.
#include "dsl/ptx/async_copies.h"
#include "dsl/ptx/ptxas.h"
#include "runtime/base/error.h"
#include <gmock/gmock.h>

namespace ks::ptx {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string kernel(const std::string &body) {
    return ".version 7.0\n.target sm_80\n.address_size 64\n.visible .entry kernel(.param .u64 p)\n{\n"
           "\t.reg .b64 \t%rd<20>;\n\t.reg .b32 \t%r<20>;\n\t.reg .pred \t%p<4>;\n"
           "\tld.param.b64 \t%rd1, [p];\n\tcvta.to.global.u64 \t%rd2, %rd1;\n\tmov.b32 \t%r1, %tid.x;\n"
           "\tshl.b32 \t%r2, %r1, 4;\n" +
           body + "\tret;\n}\n";
}

const std::string words = "\tld.global.nc.v4.b32 \t{%r3, %r4, %r5, %r6}, [%rd2+32];\n"
                          "\tst.shared.v4.b32 \t[%r2+64], {%r3, %r4, %r5, %r6};\n\tbar.sync \t0;\n";
const std::string pairs = "\tld.global.nc.v2.b64 \t{%rd3, %rd4}, [%rd2];\n\tadd.s32 \t%r7, %r2, 16;\n"
                          "\tst.shared.v2.b64 \t[%r7], {%rd3, %rd4};\n\tbar.sync \t0;\n";

void expect_assembles(const std::string &ptx) {
    if (auto ptxas = Ptxas::find()) {
        EXPECT_EQ(ptxas->assemble(ptx, {"sm_80"}).kernels.size(), 1u);
    }
}

TEST(AsyncCopies, BothShapes) {
    for (const std::string &body : {words, pairs}) {
        AsyncCopies made = async_copies(kernel(body));
        EXPECT_EQ(made.count, 1);
        EXPECT_THAT(made.ptx, Not(HasSubstr("ld.global")));
        EXPECT_THAT(made.ptx, Not(HasSubstr("st.shared")));
        expect_assembles(made.ptx);
    }
    EXPECT_THAT(
        async_copies(kernel(words)).ptx,
        HasSubstr("cp.async.cg.shared.global \t[%r2+64], [%rd2+32], 16;\n\tcp.async.wait_all;\n\tbar"));
    EXPECT_THAT(async_copies(kernel(pairs)).ptx, HasSubstr("[%r7], [%rd2], 16;"));
    EXPECT_EQ(async_copies(kernel(words + pairs)).count, 2);
}

TEST(AsyncCopies, EveryBarrierWaits) {
    std::string ptx = async_copies(kernel(words + "\tbar.sync \t0;\n\tbarrier.sync \t0;\n")).ptx;
    int waits = 0;
    for (size_t at = 0; (at = ptx.find("cp.async.wait_all;", at)) != std::string::npos; at++) waits++;
    EXPECT_EQ(waits, 3);
}

// What is used for anything but the copy must be in registers.
TEST(AsyncCopies, OtherLoadsStay) {
    std::string also = words + "\tadd.s32 \t%r8, %r3, 1;\n";
    AsyncCopies made = async_copies(kernel(also));
    EXPECT_EQ(made.count, 0);
    EXPECT_THAT(made.ptx, HasSubstr("ld.global.nc.v4.b32"));
    std::string swapped = words;
    swapped.replace(swapped.rfind("{%r3, %r4"), 9, "{%r4, %r3");
    EXPECT_EQ(async_copies(kernel(swapped)).count, 0);
    std::string writable = words;
    writable.erase(writable.find(".nc"), 3);
    EXPECT_EQ(async_copies(kernel(writable)).count, 0);
}

TEST(AsyncCopies, WhatCannotMoveIsRefused) {
    std::string apart = words, maybe = words;
    apart.insert(apart.find("\tst.shared"), "$L__BB0_1:\n");
    maybe.insert(maybe.find("\tst.shared") + 1, "@%p1 ");
    EXPECT_THROW(async_copies(kernel(apart)), Error);
    EXPECT_THROW(async_copies(kernel(maybe)), Error);
}

} // namespace
} // namespace ks::ptx
