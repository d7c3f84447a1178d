// SPDX-License-Identifier: Apache-2.0
// Products of matrices of a warp and of a warpgroup: small kernels with known results, and with a mistake
// that must be found.
#include "tests/emulator/small_kernel.h"
#include <gmock/gmock.h>

namespace ks::emulator {
namespace {

using testing::HasSubstr;

// Element (k, n) of B is in lane 4 n + k / 2 % 4, half k % 2 of register k / 8. A is all 1.
TEST(Matrices, ProductsOfBothHalves) {
    for (const std::string type : {"bf16", "f16"}) {
        Words d =
            after("\tcvt.rn." + type + "x2.f32 %r2, 0f3F800000, 0f3F800000;\n\tcvt.rn.f32.s32 %r3, %r1;\n" +
                      "\tcvt.rn." + type + "x2.f32 %r4, %r3, 0f40000000;\n" +
                      "\tmma.sync.aligned.m16n8k16.row.col.f32." + type + "." + type +
                      ".f32 {%r10,%r11,%r12,%r13}, {%r2,%r2,%r2,%r2}, {%r4,%r4}, {0,0,0,%r3};\n"
                      "\tst.global.b32 [%d3], %r13;\n",
                  counting(32));
        for (uint32_t lane = 0; lane < 32;
             lane++) { // column n: twice the sum of its four lanes, 8 times 2, c
            const uint32_t n = lane % 4 * 2 + 1;
            EXPECT_EQ(d[lane], bits(static_cast<float>(2 * (16 * n + 6) + 16 + lane))) << type << lane;
        }
    }
}

TEST(Matrices, AreLoadedByTheirRows) {
    const std::string load =
        "\tshl.b32 %r2, %r1, 4;\n\tmul.wide.u32 %d4, %r1, 16;\n\tadd.s64 %d5, %d1, %d4;\n"
        "\tld.global.v4.b32 {%r4, %r5, %r6, %r7}, [%d5];\n"
        "\tst.shared.v4.b32 [%r2], {%r4, %r5, %r6, %r7};\n\tbar.sync 0;\n"
        "\txor.b32 %r2, %r2, 16;\n" // rows of a matrix in pairs, the other way round
        "\tldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r4, %r5, %r6, %r7}, [%r2];\n"
        "\tst.global.v4.b32 [%d5], {%r4, %r5, %r6, %r7};\n";
    Words words = after(load, counting(128), {1024, 32});
    for (size_t lane = 0; lane < 32; lane++)
        for (size_t m = 0; m < 4; m++)
            EXPECT_EQ(words[4 * lane + m], (32 * m + lane) ^ 4) << lane << " " << m;
    EXPECT_THAT(fault_of(with(load, "\tbar.sync 0;\n"), counting(128), {1024, 32}), HasSubstr("a race: "));
    EXPECT_THAT(fault_of(with(load, "%r2, 16;", "%r2, 8;"), counting(128), {1024, 32}),
                HasSubstr("a misaligned load"));
}

// A (64 x 16) has row % 16 as its only column that is 1, W (8 x 16) has n * 16 + k, in rows of 128 bytes with
// swizzled chunks, from 0 and from 8192 on: the shared memory of the product.
constexpr size_t operand_bytes = 9216;
Words operands() {
    std::vector<uint8_t> bytes(operand_bytes);
    auto put = [&](uint64_t start, unsigned row, unsigned k, float x) {
        const uint16_t half = to_bf16(x);
        std::memcpy(&bytes[swizzled(start + row * 128 + k * 2)], &half, 2);
    };
    for (unsigned row = 0; row < 64; row++) put(0, row, row % 16, 1);
    for (unsigned n = 0; n < 8; n++)
        for (unsigned k = 0; k < 16; k++) put(8192, n, k, static_cast<float>(n * 16 + k));
    Words words(operand_bytes / 4);
    std::memcpy(words.data(), bytes.data(), bytes.size());
    return words;
}

// The descriptors say: from there on, 1024 bytes between groups of 8 rows, 128-byte swizzle.
const std::string to_shared =
                      "\tmov.b64 %d4, %d2;\n$MORE:\n\tadd.s64 %d5, %d1, %d4;\n\tld.global.b32 %r2, [%d5];\n"
                      "\tst.shared.b32 [%d4], %r2;\n\tadd.s64 %d4, %d4, 512;\n"
                      "\tsetp.lt.u64 %p1, %d4, 9216;\n\t@%p1 bra $MORE;\n"
                      "\tfence.proxy.async.shared::cta;\n\tbar.sync 0;\n",
                  descriptors = "\tmov.b64 %d6, 0x4000004000010000;\n\tadd.s64 %d7, %d6, 512;\n",
                  first_product = "\tsetp.ne.b32 %p2, %r1, %r1;\n\twgmma.fence.sync.aligned;\n"
                                  "\twgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                                  "{%r10,%r11,%r12,%r13}, %d6, %d7, %p2, 1, 1, 0, 0;\n",
                  second_product = "\twgmma.mma_async.sync.aligned.m64n8k16.f32.bf16.bf16 "
                                   "{%r10,%r11,%r12,%r13}, %d6, %d7, 1, 1, 1, 0, 0;\n",
                  committed = "\twgmma.commit_group.sync.aligned;\n\twgmma.wait_group.sync.aligned 0;\n",
                  shown = "\tst.global.b32 [%d3], %r13;\n",
                  twice = to_shared + descriptors + first_product + second_product + committed + shown;
const Setting warpgroup{operand_bytes, 128};

std::string fault(const std::string &right, const std::string &wrong = "") {
    return fault_of(with(twice, right, wrong), operands(), warpgroup);
}

// The fourth register of a lane: row 8 and column 1 behind its first.
TEST(Warpgroups, ProductsAreAddedUp) {
    Words d = after(twice, operands(), warpgroup);
    for (uint32_t t = 0; t < 128; t++)
        EXPECT_EQ(d[t], bits(static_cast<float>(2 * ((t % 4 * 2 + 1) * 16 + t / 4 % 8 + 8)))) << t;
}

TEST(Warpgroups, FindsProductsThatAreNotWaitedFor) {
    EXPECT_THAT(fault("\twgmma.wait_group.sync.aligned 0;\n"), HasSubstr("a product in flight writes"));
    EXPECT_THAT(fault("aligned 0", "aligned 1"), HasSubstr("a product in flight writes"));
    EXPECT_THAT(fault(committed + shown), HasSubstr("a thread ends while a product is in flight"));
    EXPECT_THAT(fault(committed, "\tst.shared.b32 [%d2], %r1;\n" + committed),
                HasSubstr("a race: a product of warp 0 read since the last barrier what is written"));
}

TEST(Warpgroups, FindsMissingFences) {
    EXPECT_THAT(fault("\twgmma.fence.sync.aligned;\n"), HasSubstr("no wgmma.fence stands before"));
    EXPECT_THAT(fault("sync.aligned;\n", "sync.aligned;\n\tmov.b32 %r12, 0;\n"),
                HasSubstr("no wgmma.fence behind what wrote an accumulator"));
    EXPECT_THAT(fault("\tfence.proxy.async.shared::cta;\n"), HasSubstr("no fence.proxy.async behind what"));
    EXPECT_THAT(fault("\tbar.sync 0;\n"), HasSubstr("a race: thread "));
}

TEST(Warpgroups, FindsWrongDescriptors) {
    EXPECT_THAT(fault("0x4000004000010000", "0x0000004000010000"), HasSubstr("without the swizzle"));
    EXPECT_THAT(fault("%d6, 512", "%d6, 520"), HasSubstr("no multiple of 1024 bytes"));
    EXPECT_THAT(fault("%d6, 512", "%d6, 519"), HasSubstr("leaves a swizzled row"));
    EXPECT_THAT(fault("%d6, 512", "%d6, 640"), HasSubstr("an out-of-bounds load"));
    EXPECT_THAT(
        fault("\tadd.s64 %d7", "\tmul.wide.u32 %d8, %r1, 64;\n\tadd.s64 %d6, %d6, %d8;\n\tadd.s64 %d7"),
        HasSubstr("lanes of a warp that ask for different products"));
    EXPECT_THAT(fault("1, 1, 0, 0;", "-1, 1, 0, 0;"), HasSubstr("other operands than are known"));
}

TEST(Warpgroups, AreWhole) {
    EXPECT_THAT(fault_of(twice, operands(), {operand_bytes, 64}), HasSubstr("a part of a warpgroup"));
    EXPECT_THAT(fault(descriptors, descriptors + "\tsetp.gt.u32 %p3, %r1, 100;\n\t@%p3 ret;\n"),
                HasSubstr("a product by a part of a warp"));
    EXPECT_THAT(fault(descriptors, descriptors + "\tsetp.gt.u32 %p3, %r1, 95;\n\t@%p3 ret;\n"),
                HasSubstr("warp 3 misses a product of its warpgroup"));
}

} // namespace
} // namespace ks::emulator
