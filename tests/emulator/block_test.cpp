// SPDX-License-Identifier: Apache-2.0
// Small kernels with known results, and kernels with a mistake that must be found.
#include "tests/emulator/small_kernel.h"
#include <cmath>
#include <gmock/gmock.h>

namespace ks::emulator {
namespace {

using testing::HasSubstr;

// The bits that a body leaves in %r2, for threads with `x` in %r2 and in their word.
uint32_t one(const std::string &body, uint32_t x) {
    return after("\tld.global.b32 %r2, [%d3];\n" + body + "\tst.global.b32 [%d3], %r2;\n", {x}).at(0);
}

TEST(Block, ArithmeticOfOneThread) {
    EXPECT_EQ(one("\tadd.s32 %r2, %r2, -3;\n", 1), 0xfffffffeu);
    EXPECT_EQ(one("\tshr.s32 %r2, %r2, 40;\n", 0x80000000), 0xffffffffu);
    EXPECT_EQ(one("\tshr.u32 %r2, %r2, 32;\n", 0x80000000), 0u);
    EXPECT_EQ(one("\tmul.wide.s32 %d4, %r2, %r2;\n\tmov.b64 {_, %r2}, %d4;\n", 0xfffe0000), 4u);
    EXPECT_EQ(one("\tmul.hi.s32 %r2, %r2, 6;\n", 0x80000000), 0xfffffffdu);
    EXPECT_EQ(one("\tmul.hi.u32 %r2, %r2, 6;\n", 0x80000000), 3u);
    EXPECT_EQ(one("\tmov.b32 {%h1, %h2}, %r2;\n\tmul.wide.u16 %r2, %h2, 0x8000;\n", 0x80050000), 0x40028000u);
    EXPECT_EQ(one("\tbfe.u32 %r2, %r2, 8, 4;\n", 0xabcdef), 0xdu);
    EXPECT_EQ(one("\tbfe.s32 %r2, %r2, 8, 4;\n", 0xabcdef), 0xfffffffdu);
    EXPECT_EQ(one("\tbfe.s32 %r2, %r2, 3, 1;\n", 0xfff7), 0u);
    EXPECT_EQ(one("\tprmt.b32 %r2, %r2, %r2, 0x5410U;\n", 0x12345678), 0x56785678u);
    EXPECT_EQ(one("\tfma.rn.f32 %r2, %r2, 0f40000000, 0f3F800000;\n", bits(3)), bits(7));
    EXPECT_EQ(one("\tex2.approx.ftz.f32 %r2, %r2;\n", bits(-3)), bits(0.125f));
    EXPECT_EQ(one("\tex2.approx.ftz.f32 %r2, %r2;\n", bits(-130)), bits(0));
    EXPECT_EQ(one("\tmax.f32 %r2, %r2, 0f3F800000;\n", 0x7fffffff), bits(1));
    EXPECT_EQ(one("\tcvt.rn.bf16x2.f32 %r2, %r2, 0f40000000;\n", 0x3f808001), 0x3f814000u);
    EXPECT_EQ(one("\tcvt.rn.f16x2.f32 %r2, %r2, 0f40000000;\n", bits(1e6f)), 0x7c004000u);
    EXPECT_EQ(one("\tsetp.lt.f32 %p1, %r2, 0f00000000;\n\tselp.b32 %r2, 5, 6, %p1;\n", bits(NAN)), 6u);
    EXPECT_EQ(one("\tsetp.geu.f32 %p1, %r2, 0f00000000;\n\t@!%p1 mov.b32 %r2, 5;\n", bits(NAN)), bits(NAN));
    EXPECT_EQ(one("\tmov.b32 {%h1, %h2}, %r2;\n\tmov.b32 %r2, {%h2, %h1};\n", 0x12345678), 0x56781234u);
}

TEST(Block, BranchesOfEveryThreadMeetAgain) {
    Words odd =
        after("\tand.b32 %r2, %r1, 1;\n\tsetp.ne.b32 %p1, %r2, 0;\n\t@%p1 bra $ODD;\n\tmov.b32 %r3, 100;\n"
              "\tbra.uni $END;\n$ODD:\n\tmov.b32 %r3, 200;\n$END: // all of a warp again\n"
              "\tshfl.sync.bfly.b32 %r3, %r3, 1, 31, -1;\n\tst.global.b32 [%d3], %r3;\n",
              counting(40));
    for (size_t i = 0; i < odd.size(); i++) EXPECT_EQ(odd[i], i % 2 ? 100u : 200u) << i;
}

TEST(Block, LoopsOfDifferentLength) {
    Words sums = after("\tmov.b32 %r3, 0;\n\tmov.b32 %r4, 0;\n$AGAIN:\n\tadd.s32 %r3, %r3, %r4;\n"
                       "\tadd.s32 %r4, %r4, 1;\n\tsetp.le.s32 %p1, %r4, %r1;\n\t@%p1 bra $AGAIN;\n"
                       "\tst.global.b32 [%d3], %r3;\n",
                       counting(70));
    for (size_t i = 0; i < sums.size(); i++) EXPECT_EQ(sums[i], i * (i + 1) / 2);
}

TEST(Block, ExchangesInAWarp) {
    auto shuffled = [](const std::string &what) {
        return after("\tshfl.sync." + what + ", -1;\n\tst.global.b32 [%d3], %r3;\n", counting(32));
    };
    EXPECT_EQ(shuffled("up.b32 %r3, %r1, 4, 0")[20], 16u);
    EXPECT_EQ(shuffled("up.b32 %r3, %r1, 4, 0")[3], 3u);
    EXPECT_EQ(shuffled("down.b32 %r3, %r1, 4, 31")[30], 30u);
    EXPECT_EQ(shuffled("idx.b32 %r3, %r1, 9, 31")[2], 9u);
    EXPECT_EQ(shuffled("idx.b32 %r3, %r1, 1, 0x1c1f")[10], 9u); // segments of four
    Words votes = after("\tsetp.gt.u32 %p1, %r1, 29;\n\tvote.sync.ballot.b32 %r3, %p1, 0xffffffff;\n"
                        "\tredux.sync.add.s32 %r4, %r1, 0xffffffff;\n\tadd.s32 %r3, %r3, %r4;\n"
                        "\tst.global.b32 [%d3], %r3;\n",
                        counting(32));
    EXPECT_EQ(votes[7], 0xc0000000u + 496);
}

// The identity times B: element (k, n) of B is in lane 4 n + k % 4, register k / 4.
TEST(Block, ProductsOfMatrices) {
    Words d = after(
        "\tshr.u32 %r2, %r1, 2;\n\tand.b32 %r3, %r1, 3;\n\tsetp.eq.b32 %p1, %r2, %r3;\n"
        "\tselp.b32 %r4, 0f3F800000, 0, %p1;\n\tadd.s32 %r5, %r3, 4;\n\tsetp.eq.b32 %p2, %r2, %r5;\n"
        "\tselp.b32 %r6, 0f3F800000, 0, %p2;\n\tcvt.rn.f32.s32 %r7, %r1;\n\tadd.f32 %r8, %r7, 0f42800000;\n"
        "\tmma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%r10,%r11,%r12,%r13}, "
        "{%r4,0,%r6,0}, {%r7,%r8}, {0,0,0,0};\n\tst.global.b32 [%d3], %r11;\n",
        counting(32));
    for (unsigned lane = 0; lane < 32; lane++) {
        unsigned k = lane / 4, n = lane % 4 * 2 + 1;
        EXPECT_EQ(d[lane], bits(static_cast<float>(4 * n + k % 4 + (k < 4 ? 0 : 64)))) << lane;
    }
}

const std::string to_shared = "\tst.shared.b32 [%d2], %r1;\n", from_neighbour =
                                                                   "\txor.b32 %r2, %r1, 32;\n"
                                                                   "\tmul.wide.u32 %d4, %r2, 4;\n"
                                                                   "\tld.shared.b32 %r3, [%d4];\n";

TEST(Block, SharedMemoryBehindABarrier) {
    Words swapped =
        after(to_shared + "\tbar.sync 0;\n" + from_neighbour + "\tst.global.b32 [%d3], %r3;\n", counting(64));
    for (size_t i = 0; i < 64; i++) EXPECT_EQ(swapped[i], i ^ 32);
}

TEST(Block, FindsRaces) {
    EXPECT_THAT(fault_of(to_shared + from_neighbour, 64),
                HasSubstr("another thread read since the last barrier what is written"));
    EXPECT_THAT(fault_of("\tmov.b64 %d4, 0;\n\tst.shared.b32 [%d4], %r1;\n", 2),
                HasSubstr("what is written"));
    EXPECT_THAT(fault_of(to_shared + "\tbar.sync 0;\n" + from_neighbour + to_shared, 64),
                HasSubstr("thread 0 wrote since the last barrier what is read"));
}

const std::string copies = "\tmul.wide.u32 %d4, %r1, 16;\n\tadd.s64 %d5, %d1, %d4;\n"
                           "\tsetp.gt.u32 %p1, %r1, 0;\n\t@%p1 bra $END;\n"
                           "\tcp.async.cg.shared.global [%d4], [%d5], 16;\n",
                  shown = "\tld.shared.b32 %r3, [%d4+4];\n\tst.global.b32 [%d3], %r3;\n$END:\n";

TEST(Block, CopiesLandAtTheWait) {
    EXPECT_EQ(after(copies + "\tcp.async.wait_all;\n" + shown, counting(4))[0], 1u);
    EXPECT_THAT(fault_of(copies + shown, 4), HasSubstr("a copy is under way to what is read"));
}

TEST(Block, FindsAccessesThatAreNotAllowed) {
    EXPECT_THAT(fault_of("\tld.shared.b32 %r2, [%d2+2];\n", 1),
                HasSubstr("a misaligned load from shared memory"));
    EXPECT_THAT(fault_of("\tst.shared.v2.b32 [%d2], {%r1, %r1};\n", 2),
                HasSubstr("a misaligned store to shared"));
    EXPECT_THAT(fault_of(to_shared, 17, {64}), HasSubstr("an out-of-bounds store to the block's 64 bytes"));
    EXPECT_THAT(fault_of("\tst.global.b32 [%d3+4], %r1;\n", 5),
                HasSubstr("outside of allocated global memory"));
    EXPECT_THAT(fault_of("\tld.global.v2.b32 {%r2, %r3}, [%d3+-8];\n", 5), HasSubstr("outside of allocated"));
    EXPECT_THAT(fault_of("\tld.global.b32 %r2, [%d3+2];\n", 5), HasSubstr("a misaligned access to global"));
}

const std::string first_leaves = "\tsetp.eq.b32 %p1, %r1, 0;\n";

TEST(Block, FindsThreadsThatAreMissing) {
    EXPECT_THAT(fault_of(first_leaves + "\t@%p1 ret;\n\tbar.sync 0;\n", 64),
                HasSubstr("thread 0 misses a barrier"));
    EXPECT_THAT(
        fault_of(first_leaves + "\t@%p1 bra $B;\n\tbar.sync 0;\n\tbra.uni $END;\n$B:\n\tbar.sync 0;\n$END:\n",
                 2),
        HasSubstr("misses a barrier"));
    EXPECT_THAT(fault_of(first_leaves +
                             "\t@%p1 bra $B;\n\tshfl.sync.up.b32 %r2, %r1, 1, 0, -1;\n$B:\n\tbar.sync 0;\n",
                         32),
                HasSubstr("thread 0 misses what its warp does together"));
    EXPECT_THAT(fault_of("\tshfl.sync.up.b32 %r2, %r1, 1, 0, 1;\n", 32),
                HasSubstr("a mask that leaves out a lane"));
    EXPECT_THAT(fault_of("$A:\n\tbra.uni $A;\n", 1), HasSubstr("a loop without end"));
}

TEST(Program, UnknownTextIsAnErrorWithItsLine) {
    EXPECT_THAT(
        fault_of("\tadd.s32 %r2, %r1, 1;\n\tadd.sat.s32 %r2, %r1, 1;\n", 1),
        HasSubstr("line 19, add.sat.s32 %r2, %r1, 1: an instruction that the emulator does not know"));
    EXPECT_THAT(fault_of("\tld.global.s8 %r2, [%d3];\n", 1), HasSubstr("does not know"));
    EXPECT_THAT(fault_of("\tadd.s32 %r2, %r1, %q1;\n", 1), HasSubstr("no register %q1"));
    EXPECT_THAT(fault_of("\tadd.s32 %r2, %r1;\n", 1), HasSubstr("other operands"));
    EXPECT_THAT(fault_of("\tbra $NOWHERE;\n", 1), HasSubstr("no label $NOWHERE"));
    EXPECT_THAT(fault_of("\t.local .b32 x;\n", 1), HasSubstr("is not known here"));
}

} // namespace
} // namespace ks::emulator
