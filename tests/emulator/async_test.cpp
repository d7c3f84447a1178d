// SPDX-License-Identifier: Apache-2.0
// mbarriers, copies of boxes, and blocks of a cluster: small kernels with known results, and with a mistake
// that must be found.
#include "tests/emulator/small_kernel.h"
#include <gmock/gmock.h>

namespace ks::emulator {
namespace {

using testing::HasSubstr;

// An mbarrier for that many threads at 512, made by thread 0, for which %p1 holds.
std::string mbarrier(int threads) {
    return "\tmov.b32 %r5, 512;\n\tsetp.eq.b32 %p1, %r1, 0;\n\t@%p1 mbarrier.init.shared::cta.b64 [%r5], " +
           std::to_string(threads) + ";\n\t@%p1 fence.mbarrier_init.release.cluster;\n\tbar.sync 0;\n";
}

const std::string first_phase = "$WAIT:\n\tmbarrier.try_wait.parity.shared::cta.b64 %p3, [%r5], 0;\n"
                                "\t@!%p3 bra $WAIT;\n";

// Warp 1 writes words, warp 0 reads them when all of it have arrived.
const std::string handed_on = mbarrier(32) +
                              "\tsetp.lt.u32 %p2, %r1, 32;\n\t@%p2 bra $READER;\n"
                              "\tst.shared.b32 [%d2], %r1;\n"
                              "\tmbarrier.arrive.shared::cta.b64 %d4, [%r5];\n\tbra $END;\n$READER:\n" +
                              first_phase +
                              "\tld.shared.b32 %r3, [%d2+128];\n\tst.global.b32 [%d3], %r3;\n$END:\n";

TEST(Mbarrier, HandsOnWhatWasWritten) {
    Words words = after(handed_on, counting(64));
    for (size_t i = 0; i < 32; i++) EXPECT_EQ(words[i], i + 32);
}

TEST(Mbarrier, FindsWhoDoesNotWait) {
    EXPECT_THAT(fault_of(with(handed_on, "\t@!%p3 bra $WAIT;\n"), 64), HasSubstr("a race: "));
    EXPECT_THAT(fault_of(with(handed_on, "[%r5], 0;\n", "[%r5], 1;\n"), 64), HasSubstr("a race: "));
}

TEST(Mbarrier, FindsWaitsWithoutEnd) {
    EXPECT_THAT(fault_of(with(handed_on, "[%r5], 32;", "[%r5], 33;"), 64),
                HasSubstr("thread 0 waits for what nobody will do"));
    EXPECT_THAT(fault_of(with(handed_on, "\tmbarrier.arrive", "\t@%p1 mbarrier.arrive"), 64),
                HasSubstr("mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r5], 0: block 0,0,0, warp 0: "
                          "thread 0 waits for what nobody will do"));
}

TEST(Mbarrier, FindsMisuse) {
    EXPECT_THAT(fault_of(mbarrier(1) + "\tld.shared.b32 %r3, [%r5+4];\n", 1),
                HasSubstr("an mbarrier is read"));
    EXPECT_THAT(fault_of(mbarrier(1) + "\tst.shared.b32 [%r5], %r1;\n", 1),
                HasSubstr("an mbarrier is written"));
    EXPECT_THAT(fault_of(with(handed_on, "\tbar.sync 0;\n"), 64),
                HasSubstr("thread 0 initialised since the last barrier what is used"));
    EXPECT_THAT(fault_of("\tmov.b32 %r5, 8;\n" + first_phase, 1),
                HasSubstr("no mbarrier is initialised at 8"));
    EXPECT_THAT(fault_of("\tmov.b32 %r5, 12;\n\tmbarrier.init.shared::cta.b64 [%r5], 1;\n", 1),
                HasSubstr("a misaligned store"));
    EXPECT_THAT(fault_of("\tmov.b32 %r5, 8;\n\tmbarrier.init.shared::cta.b64 [%r5], 0;\n", 1),
                HasSubstr("another number of threads"));
}

// Half of four warps meet at a barrier of their own, the others at another.
TEST(Barrier, OfSomeThreads) {
    const std::string halves = "\tshr.u32 %r2, %r1, 6;\n\tadd.u32 %r2, %r2, 1;\n\tst.shared.b32 [%d2], %r1;\n"
                               "\tbar.sync %r2, 64;\n\txor.b32 %r3, %r1, 32;\n\tmul.wide.u32 %d4, %r3, 4;\n"
                               "\tld.shared.b32 %r3, [%d4];\n\tst.global.b32 [%d3], %r3;\n";
    Words words = after(halves, counting(128));
    for (size_t i = 0; i < 128; i++) EXPECT_EQ(words[i], i ^ 32);
    EXPECT_THAT(fault_of(with(halves, "%r1, 32;", "%r1, 64;"), 128), HasSubstr("a race: "));
    EXPECT_THAT(fault_of(with(halves, "%r2, 64;", "%r2, 96;"), 128),
                HasSubstr("waits for what nobody will do"));
    EXPECT_THAT(fault_of(with(halves, "%r2, 64;", "%r2, 48;"), 128), HasSubstr("no barrier of a block"));
}

TEST(Barrier, OfSomeThreadsBeforeThatOfAll) {
    const std::string body = "\tsetp.lt.u32 %p1, %r1, 64;\n\t@%p1 bra $ALL;\n\tst.shared.b32 [%d2], %r1;\n"
                             "\tbar.sync 1, 64;\n$ALL:\n\tbar.sync 0;\n\txor.b32 %r3, %r1, 96;\n"
                             "\tmul.wide.u32 %d4, %r3, 4;\n\t@%p1 ld.shared.b32 %r3, [%d4];\n"
                             "\tst.global.b32 [%d3], %r3;\n";
    Words words = after(body, counting(128));
    for (size_t i = 0; i < 128; i++) EXPECT_EQ(words[i], i ^ 96);
    EXPECT_THAT(fault_of(with(body, "sync 1, 64;", "sync 1, 128;"), 128),
                HasSubstr("waits for what nobody will do"));
}

// The box at row 1 of two rows of words: one row of them, and one of zeros. Chunks of 16 bytes are swizzled.
const std::string
    swizzle = "\tshl.b32 %r6, %r1, 2;\n\tshr.u32 %r7, %r6, 7;\n\tshl.b32 %r7, %r7, 4;\n"
              "\txor.b32 %r6, %r6, %r7;\n",
    load_box = "\tmov.b64 %d5, map;\n\tcvta.param.u64 %d5, %d5;\n\tmov.b32 %r8, 0;\n\tmov.b32 %r9, 1;\n"
               "\t@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 %d4, [%r5], 256;\n"
               "\t@%p1 cp.async.bulk.tensor.2d.shared::cluster.global.tile."
               "mbarrier::complete_tx::bytes [%r8], [%d5, {0, %r9}], [%r5];\n",
    show_box = swizzle + "\tld.shared.b32 %r3, [%r6];\n\tst.global.b32 [%d3], %r3;\n",
    loaded = mbarrier(1) + load_box + first_phase + show_box;

TEST(Boxes, ComeSwizzledWithZerosOutside) {
    Words words = after(loaded, counting(64));
    for (size_t i = 0; i < 64; i++) EXPECT_EQ(words[i], i < 32 ? i + 32 : 0) << i;
}

TEST(Boxes, FindsLoadsThatAreNotWaitedFor) {
    EXPECT_THAT(fault_of(with(loaded, "\t@!%p3 bra $WAIT;\n"), 64), HasSubstr("a race: "));
    EXPECT_THAT(fault_of(with(loaded, first_phase), 64),
                HasSubstr("a race: a copy of the mbarrier at 512 wrote since the last barrier what is read"));
    EXPECT_THAT(fault_of(with(loaded, "[%r5], 256;", "[%r5], 128;"), 64),
                HasSubstr("more bytes than were announced"));
    EXPECT_THAT(fault_of(with(loaded, "[%r5], 256;", "[%r5], 512;"), 64), HasSubstr("nobody will do"));
    EXPECT_THAT(fault_of(with(loaded, first_phase, first_phase + load_box), 64),
                HasSubstr("a race: ")); // over what others may be reading
}

TEST(Boxes, FindsMisuse) {
    EXPECT_THAT(fault_of(with(loaded, "\t@%p1 cp.async",
                              "\t@%p1 mbarrier.arrive.shared::cta.b64 %d4, [%r5];\n\t@%p1 cp.async"),
                         64),
                HasSubstr("more threads arrive than the mbarrier is for"));
    EXPECT_THAT(fault_of(with(loaded, "\t@%p1 fence.mbarrier_init.release.cluster;\n"), 64),
                HasSubstr("no fence behind the initialisation of the mbarrier"));
    EXPECT_THAT(fault_of(with(loaded, "%r8, 0;", "%r8, 64;"), 64), HasSubstr("a box at no multiple of 128"));
    EXPECT_THAT(fault_of(with(loaded, "%r8, 0;", "%r8, 896;"), 64), HasSubstr("an out-of-bounds store"));
    EXPECT_THAT(fault_of(with(loaded, "\tcvta.param.u64 %d5, %d5;\n"), 64), HasSubstr("no parameter has a"));
    EXPECT_THAT(fault_of(with(loaded, "%d5, map;", "%d5, words;"), 64), HasSubstr("there is no tensor map"));
}

const std::string stored = swizzle +
                           "\tadd.s32 %r3, %r1, 100;\n\tst.shared.b32 [%r6], %r3;\n"
                           "\tfence.proxy.async.shared::cta;\n\tbar.sync 0;\n\tmov.b64 %d5, map;\n"
                           "\tcvta.param.u64 %d5, %d5;\n\tmov.b32 %r8, 0;\n\tsetp.ne.b32 %p1, %r1, 0;\n"
                           "\t@%p1 bra $END;\n"
                           "\tcp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group "
                           "[%d5, {%r8, 1}], [%r8];\n\tcp.async.bulk.commit_group;\n"
                           "\tcp.async.bulk.wait_group.read 0;\n\tst.shared.b32 [%r6], %r3;\n$END:\n";

TEST(Boxes, AreStoredAndClipped) {
    Words words = after(stored, counting(64));
    for (size_t i = 0; i < 64; i++) EXPECT_EQ(words[i], i < 32 ? i : i + 68) << i;
}

TEST(Boxes, FindsStoresThatAreNotOrdered) {
    EXPECT_THAT(fault_of(with(stored, "\tfence.proxy.async.shared::cta;\n"), 64),
                HasSubstr("no fence.proxy.async behind what thread 0 wrote"));
    EXPECT_THAT(fault_of(with(stored, "\tbar.sync 0;\n"), 64), HasSubstr("a race: thread "));
    EXPECT_THAT(fault_of(with(stored, "group.read 0", "group.read 1"), 64),
                HasSubstr("a race: a bulk store of warp 0 read since the last barrier what is written"));
    EXPECT_THAT(fault_of(with(with(stored, "\tst.shared.b32 [%r6], %r3;\n$END", "$END"), "group.read 0",
                              "group.read 1"),
                         64),
                HasSubstr("a thread ends while a bulk store of it reads shared memory"));
}

// Every lane sends four words to the lane of the other block that has its number; block 1 shows them.
const std::string exchanged =
    "\tmov.b32 %r5, 512;\n\tsetp.eq.b32 %p1, %r1, 0;\n\tmov.u32 %r2, %cluster_ctarank;\n"
    "\t@%p1 mbarrier.init.shared::cta.b64 [%r5], 1;\n"
    "\t@%p1 mbarrier.arrive.expect_tx.shared::cta.b64 %d4, [%r5], 512;\n"
    "\t@%p1 fence.mbarrier_init.release.cluster;\n\tbar.sync 0;\n"
    "\tbarrier.cluster.arrive.release.aligned;\n\tbarrier.cluster.wait.acquire;\n"
    "\txor.b32 %r3, %r2, 1;\n\tshl.b32 %r4, %r1, 4;\n\tmapa.shared::cluster.u32 %r6, %r4, %r3;\n"
    "\tmapa.shared::cluster.u32 %r7, %r5, %r3;\n\tmad.lo.u32 %r8, %r2, 1000, %r1;\n"
    "\tst.async.weak.shared::cluster.mbarrier::complete_tx::bytes.v4.f32 [%r6], {%r8, %r8, %r8, %r1}, "
    "[%r7];\n"
    "$WAIT:\n\tmbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p3, [%r5], 0;\n\t@!%p3 bra $WAIT;\n"
    "\tld.shared.v4.b32 {%r10, %r11, %r12, %r13}, [%r4];\n\tsetp.eq.b32 %p2, %r2, 1;\n"
    "\tadd.s32 %r10, %r10, %r13;\n\t@%p2 st.global.b32 [%d3], %r10;\n";
const Setting two_blocks{1024, 32, 2};

TEST(Clusters, BlocksSendEachOther) {
    Words words = after(exchanged, counting(32), two_blocks);
    for (size_t i = 0; i < 32; i++) EXPECT_EQ(words[i], 2 * i);
}

TEST(Clusters, FindsStoresTooEarlyAndReadsTooEarly) {
    auto fault = [](const std::string &right, const std::string &wrong = "") {
        return fault_of(with(exchanged, right, wrong), counting(32), two_blocks);
    };
    EXPECT_THAT(fault("\tbarrier.cluster.wait.acquire;\n"), HasSubstr("a block that may not have begun"));
    EXPECT_THAT(fault("\tbarrier.cluster.arrive.release.aligned;\n"), HasSubstr("waits before it arrives"));
    EXPECT_THAT(fault("cluster.arrive", "cluster.arrive.release.aligned;\n\tbarrier.cluster.arrive"),
                HasSubstr("arrives again before it waits"));
    EXPECT_THAT(fault("\t@!%p3 bra $WAIT;\n"), HasSubstr("a race: "));
    EXPECT_THAT(fault("%r7, %r5, %r3", "%r7, %r5, %r2"), HasSubstr("the mbarrier is in another block"));
    EXPECT_THAT(fault("%r3, %r2, 1", "%r3, %r2, 2"), HasSubstr("no block of that rank"));
    EXPECT_THAT(fault("[%r5], 512;", "[%r5], 528;"), HasSubstr("waits for what nobody will do"));
    EXPECT_THAT(
        fault("\t@%p1 mbarrier.init", "\tsetp.eq.b32 %p4, %r2, 1;\n\t@%p4 ret;\n\t@%p1 mbarrier.init"),
        HasSubstr("waits for what nobody will do"));
}

TEST(TensorMaps, AreRefusedAsTheDriverRefusesThem) {
    const uint64_t dims[] = {100, 7}, row_bytes = 208;
    const uint32_t box[] = {64, 8}, every[] = {1, 1};
    const TensorMapRequest good{1, 2, 4096, dims, &row_bytes, box, every, 0, 3, 2, 0};
    TensorMap map;
    auto accepted = [&](const std::function<void(TensorMapRequest &)> &change) {
        TensorMapRequest r = good;
        change(r);
        return encode(r, map);
    };
    const uint64_t none[] = {0, 7}, odd_row = 200;
    const uint32_t tall[] = {64, 257}, odd[] = {63, 8}, wide[] = {128, 8}, far[] = {1, 9};
    EXPECT_TRUE(accepted([](auto &) {}));
    EXPECT_FALSE(accepted([](auto &r) { r.address += 8; }));
    EXPECT_FALSE(accepted([&](auto &r) { r.dims = none; }));
    EXPECT_FALSE(accepted([&](auto &r) { r.strides = &odd_row; }));
    for (const uint32_t *b : {tall, odd, wide}) EXPECT_FALSE(accepted([&](auto &r) { r.box = b; })) << b[0];
    EXPECT_FALSE(accepted([&](auto &r) { r.element_strides = far; }));
    EXPECT_FALSE(accepted([](auto &r) { r.rank = 6; }));
    EXPECT_THROW(accepted([](auto &r) { r.swizzle = 0; }), Fault); // legal, but not known here
}

} // namespace
} // namespace ks::emulator
