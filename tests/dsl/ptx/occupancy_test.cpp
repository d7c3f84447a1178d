// SPDX-License-Identifier: Apache-2.0
// Against values worked out by hand from the rules of the CUDA toolkit's occupancy calculator.
#include "dsl/ptx/occupancy.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks::ptx {
namespace {

Resources kernel(int registers, int shared = 0) {
    Resources r;
    r.kernel = "scan", r.registers = registers, r.shared = shared;
    return r;
}

TEST(Occupancy, FollowsTheRulesOfTheCalculator) {
    struct {
        const char *arch;
        int registers, threads, shared;
        int blocks;
    } cases[] = {
        {"sm_80", 32, 256, 0, 8},     // warps: 64
        {"sm_80", 64, 256, 0, 4},     // registers
        {"sm_80", 32, 32, 0, 32},     // blocks
        {"sm_80", 32, 128, 49152, 3}, // shared memory: 48 KB and the system's 1 KB
        {"sm_90a", 168, 128, 0, 3},   // 12 warps of 5376 registers
        {"sm_90", 33, 1024, 0, 1},    // 1280 a warp: 51, in fours 48, of which 32 are one block
        {"sm_90", 32, 1024, 0, 2},    {"sm_90a", 128, 384, 232448, 1}, // all of the shared memory that a
                                                                       // block may have
        {"sm_86", 32, 64, 0, 16},     {"sm_89", 40, 192, 0, 8},        {"sm_100", 255, 256, 0, 1},
        {"sm_120", 32, 512, 0, 3},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(std::string(c.arch) + " " + std::to_string(c.registers) + " registers, " +
                     std::to_string(c.threads) + " threads");
        EXPECT_EQ(resident_blocks(kernel(c.registers, c.shared), {c.threads}, c.arch), c.blocks);
        EXPECT_EQ(resident_blocks(kernel(c.registers), {c.threads, c.shared}, c.arch), c.blocks);
        EXPECT_EQ(unfit(kernel(c.registers, c.shared), {c.threads}, c.arch), "");
    }
}

TEST(Occupancy, WhatCannotBeLaunchedIsUnfit) {
    EXPECT_EQ(unfit(kernel(128), {1024}, "sm_90"),
              "scan on sm_90: 128 registers for each of 1024 threads, a block has 65536");
    EXPECT_EQ(unfit(kernel(32, 48 * 1024), {256, 180 * 1024}, "sm_90a"),
              "scan on sm_90a: 233472 bytes of shared memory, a block has 232448 bytes");
    EXPECT_EQ(unfit(kernel(32, 100 * 1024), {256}, "sm_80"), "") << "less is there on sm_86";
    EXPECT_NE(unfit(kernel(32, 100 * 1024), {256}, "sm_86"), "");
    EXPECT_EQ(unfit(kernel(32), {2048}, "sm_90"), "scan on sm_90: a block of 2048 threads");
}

TEST(Occupancy, UnknownArchitecturesAreNotGuessed) {
    for (const char *arch : {"sm_70", "sm_90x", "avx2", "sm_", ""}) EXPECT_THROW(multiprocessor(arch), Error);
    EXPECT_EQ(multiprocessor("sm_100f").warps, multiprocessor("sm_100").warps);
}

} // namespace
} // namespace ks::ptx
