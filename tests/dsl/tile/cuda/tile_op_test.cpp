// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/shared_layout.h"
#include "dsl/tile/cuda/tile_op.h"
#include "refusal.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using testing::HasSubstr;

TileOp legal() {
    TileOp op;
    op.K = 1472;
    return op;
}

std::string why(const std::function<void(TileOp &)> &change) {
    TileOp op = legal();
    change(op);
    return refusal([&] { check(op); });
}

TEST(TileOp, WhatTheHardwareHasNotIsRefusedByName) {
    EXPECT_EQ(why([](TileOp &) {}), "no error");
    EXPECT_THAT(why([](TileOp &op) { op.storage = Storage::f32; }), HasSubstr("f32 operands"));
    EXPECT_THAT(why([](TileOp &op) { op.K = -8; }), HasSubstr("sums over -8"));
    EXPECT_THAT(why([](TileOp &op) { op.slabs = 3; }), HasSubstr("384 rows"));
    EXPECT_THAT(why([](TileOp &op) { op.products = 3; }), HasSubstr("3 products"));
    EXPECT_THAT(why([](TileOp &op) { op.columns = 264; }), HasSubstr("264 columns"));
    EXPECT_THAT(why([](TileOp &op) { op.columns = 136, op.products = 2; }), HasSubstr("136 columns"));
    EXPECT_THAT(why([](TileOp &op) { op.columns = 96; }), HasSubstr("96 result columns"));
    EXPECT_THAT(why([](TileOp &op) { op.producer_threads = 64; }), HasSubstr("64 producer threads"));
    EXPECT_THAT(why([](TileOp &op) { op.order.group = -1; }), HasSubstr("negative"));
}

TEST(TileOp, RolesMoveRegistersOnlyInWholeWarpgroups) {
    EXPECT_THAT(why([](TileOp &op) { op.producer_threads = 32; }), HasSubstr("a whole warpgroup"));
    EXPECT_THAT(why([](TileOp &op) {
                    op.producer_threads = 32;
                    op.producer_registers = op.consumer_registers = 0;
                    op.gathered = true;
                }),
                HasSubstr("gathered rows need a warpgroup"));
    EXPECT_THAT(why([](TileOp &op) { op.producer_registers = 44; }), HasSubstr("44 registers"));
    EXPECT_THAT(why([](TileOp &op) { op.consumer_registers = 240, op.producer_registers = 56; }),
                HasSubstr("the block has 64512"));
}

TEST(TileOp, MmaHasConsumersAlone) {
    auto mma = [](TileOp &op) {
        op.unit = Unit::mma;
        op.columns = 128;
        op.stages = 3;
        op.staged_store = false;
        op.producer_threads = op.producer_registers = op.consumer_registers = 0;
    };
    EXPECT_EQ(why(mma), "no error");
    EXPECT_THAT(why([&](TileOp &op) { mma(op), op.producer_threads = 128; }), HasSubstr("no producers"));
    EXPECT_THAT(why([&](TileOp &op) { mma(op), op.staged_store = true; }), HasSubstr("no staged store"));
    EXPECT_THAT(why([&](TileOp &op) { mma(op), op.stages = 4; }), HasSubstr("a multiprocessor has 101376"));
    EXPECT_THAT(why([&](TileOp &op) { mma(op), op.columns = 80; }),
                HasSubstr("copies 32 rows of an operand"));
}

TEST(TileOp, WhatDoesNotFitIsRefused) {
    EXPECT_THAT(why([](TileOp &op) { op.slabs = 2; }), HasSubstr("256 accumulators do not fit in 232"));
    EXPECT_THAT(why([](TileOp &op) { op.stages = 5; }), HasSubstr("bytes of shared memory"));
    EXPECT_THAT(why([](TileOp &op) { op.stages = 1; }), HasSubstr("1 stages"));
    auto two_blocks = [](TileOp &op) {
        op.blocks_per_multiprocessor = 2, op.columns = 128, op.stages = 3, op.staged_store = false;
        op.warpgroups = 1, op.slabs = 2, op.consumer_registers = 200;
    };
    EXPECT_EQ(why(two_blocks), "no error");
    EXPECT_THAT(why([&](TileOp &op) { two_blocks(op), op.stages = 4; }), HasSubstr("bytes of shared memory"));
    EXPECT_THAT(why([&](TileOp &op) { two_blocks(op), op.consumer_registers = 232; }),
                HasSubstr("the block has 32768"));
    EXPECT_THAT(
        why([&](TileOp &op) { two_blocks(op), op.warpgroups = 2, op.slabs = 1, op.consumer_registers = 96; }),
        HasSubstr("64 accumulators of an instruction do not fit in 80 registers"));
}

// 23 steps of K.
TEST(TileOp, SplitsAreOfWgmmaWithWholeSharesAndAStepForEveryBlock) {
    auto split = [](TileOp &op) {
        op.splits = 8;
        op.columns = 64;
        op.staged_store = false;
    };
    EXPECT_EQ(why(split), "no error");
    EXPECT_EQ(why([&](TileOp &op) { split(op), op.products = 2, op.columns = 128; }), "no error");
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.splits = 3; }), HasSubstr("3 blocks split K"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.splits = 16; }), HasSubstr("16 blocks split K"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.splits = 0; }), HasSubstr("0 blocks split K"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.gathered = true; }), HasSubstr("rows are gathered"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.order.resident = 132; }), HasSubstr("blocks that stay"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.unit = Unit::mma; }),
                HasSubstr("which mma runs without"));
    EXPECT_EQ(why([&](TileOp &op) { split(op), op.K = 7 * 64 + 1; }), "no error");
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.K = 7 * 64; }), HasSubstr("K, which has 7 steps"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.columns = 32; }), HasSubstr("32 columns: eights"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.products = 2; }), HasSubstr("64 columns: eights"));
    EXPECT_THAT(why([&](TileOp &op) { split(op), op.staged_store = true; }),
                HasSubstr("8 result columns: a staged store"));
}

TEST(TileOp, QuadsStoreThirtyTwoColumnsOfRowsThatAreNotStaged) {
    auto quads = [](TileOp &op) { op.staged_store = false, op.quad_store = true; };
    EXPECT_EQ(why([&](TileOp &op) { quads(op); }), "no error");
    EXPECT_THAT(why([](TileOp &op) { op.quad_store = true; }), HasSubstr("staged or exchanged in quads"));
    EXPECT_THAT(why([&](TileOp &op) { quads(op), op.columns = 48; }),
                HasSubstr("48 result columns: a quad stores 32 of a row"));
    EXPECT_THAT(why([&](TileOp &op) { quads(op), op.columns = 96, op.products = 2; }),
                HasSubstr("48 result columns: a quad stores 32 of a row"));
}

// From each of 7 others 4 sums of 256 threads, between the store buffers and Halide's own.
TEST(TileOp, SumsOfOtherBlocksHaveAPlaceOfTheirOwn) {
    TileOp op = legal();
    op.splits = 8;
    op.columns = 64;
    op.staged_store = false;
    SharedLayout at(op);
    EXPECT_EQ(at.exchange, at.staging);
    EXPECT_EQ(at.halide, at.exchange + 7 * 4 * 4 * 256);
    EXPECT_GE(SharedLayout::exchanged, SharedLayout::empty + op.stages * SharedLayout::barrier_bytes);
    EXPECT_LE(SharedLayout::exchanged + SharedLayout::barrier_bytes, SharedLayout::ring);
    EXPECT_EQ(SharedLayout(legal()).halide, SharedLayout(legal()).exchange);
}

// 128 + 256 rows of 128 bytes a stage, four stages, two buffers of 8 KiB for each warpgroup, barriers,
// alignment.
TEST(TileOp, SharedMemoryIsLaidOutWithoutOverlap) {
    SharedLayout at(legal());
    EXPECT_EQ(at.staging, 1024 + 4 * 384 * 128);
    EXPECT_EQ(at.halide, at.staging + 2 * 2 * 8192);
    EXPECT_EQ(at.launch_bytes(), at.halide + 1024);
    EXPECT_EQ(at.staging % SharedLayout::atom, 0);
    TileOp direct = legal();
    direct.staged_store = false;
    EXPECT_EQ(SharedLayout(direct).halide, at.staging);
}

} // namespace
} // namespace ks::tile
