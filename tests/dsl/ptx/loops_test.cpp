// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/loops.h"
#include <gtest/gtest.h>

namespace ks::ptx {
namespace {

TEST(PtxLoops, ABranchBackIsOneWhereControlReturns) {
    EXPECT_TRUE(has_loop("$L2:\nadd.s32 %r1, %r1, 1;\n@%p1 bra $L2;\nret;\n"));
    EXPECT_TRUE(has_loop("bra.uni $L3;\n$L2:\n@%p1 bra $L4;\n$L3:\nbra.uni $L2;\n$L4:\nret;\n"));
    EXPECT_TRUE(has_loop("$L1:\n@!%p1 bra $L1;\n"));
}

// Rare code behind the end goes back to where all goes on.
TEST(PtxLoops, CodeBehindTheEndIsNone) {
    EXPECT_FALSE(has_loop("@%p1 bra $RARE;\nst.global.b32 [%rd1], 0;\n$ON:\nret;\n$RARE:\nbra.uni $ON;\n"));
    EXPECT_TRUE(has_loop("@%p1 bra $RARE;\n$ON:\n@%p2 bra $OUT;\n$RARE:\nbra.uni $ON;\n$OUT:\nret;\n"));
}

TEST(PtxLoops, StraightCodeHasNone) {
    EXPECT_FALSE(has_loop(""));
    EXPECT_FALSE(has_loop("mov.b32 %r1, 0;\nret;\n"));
    EXPECT_FALSE(has_loop("@%p1 ret;\n@%p2 bra $A;\n$A:\nbar.sync 0;\nexit;\n"));
    EXPECT_FALSE(has_loop("ret;\n$A:\nbra.uni $A;\n")) << "nobody comes there";
}

} // namespace
} // namespace ks::ptx
