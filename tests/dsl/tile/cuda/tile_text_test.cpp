// SPDX-License-Identifier: Apache-2.0
// The text of tile kernels, and what ptxas makes of it.
#include "dsl/ptx/ptxas.h"
#include "examples.h"
#include "runtime/base/error.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
}

TEST(TileText, HoldsTheInstructionsOfTheTile) {
    TileOp op;
    op.columns = 128;
    op.slabs = 2;
    TileText made = Example({512, 512, 1472}, op).text();
    EXPECT_THAT(ptx::undefined_calls(made.ptx), ElementsAre());
    EXPECT_EQ(count(made.ptx, "wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16"), 4 * 2);
    EXPECT_EQ(count(made.ptx, "cp.async.bulk.tensor.2d.shared::cluster"), 2);
    EXPECT_EQ(count(made.ptx, "cp.async.bulk.tensor.2d.global"), 2 * 2); // blocks of 64 x 64 of a warpgroup
    EXPECT_THAT(made.ptx, HasSubstr(".target sm_90a"));
    EXPECT_THAT(made.ptx, HasSubstr(".maxntid 384, 1, 1"));
}

} // namespace
} // namespace ks::tile
