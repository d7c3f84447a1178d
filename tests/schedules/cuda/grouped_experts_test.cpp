// SPDX-License-Identifier: Apache-2.0
// The form of the grouped ops for tiles of few slots: which specs have it, where it tests that a tile is
// used, what it loads, what ptxas makes of points of its space.
#include "generators/grouped_experts.h"
#include "tests/support/few_rows.h"
#include <algorithm>

namespace ks::test {
namespace {

FewRowsCase up(const char *io, const char *weight, const char *halves, int64_t B, int64_t K, int64_t F) {
    return {"grouped_expert_up",
            {{{"io", io}, {"weight", weight}, {"halves", halves}, {"act", "silu"}},
             {{"B", B}, {"E", 8}, {"K", K}, {"F", F}}}};
}

FewRowsCase down(const char *io, const char *weight, const char *out, int64_t B, int64_t K, int64_t N) {
    return {"grouped_expert_down",
            {{{"io", io}, {"weight", weight}, {"out", out}}, {{"B", B}, {"E", 8}, {"K", K}, {"N", N}}}};
}

using GroupedFewSlots = FewRows;

TEST_P(GroupedFewSlots, PointsOfTheSpaceAreKernels) { expect_points_are_kernels(); }

INSTANTIATE_TEST_SUITE_P(Specs, GroupedFewSlots,
                         testing::Values(up("bf16", "bf16", "2", 8, 1472, 3872),
                                         up("f16", "f16", "1", 1, 92, 124), up("f32", "bf16", "2", 3, 37, 41),
                                         down("bf16", "bf16", "bf16", 8, 3872, 1472),
                                         down("bf16", "bf16", "f32", 17, 3872, 124),
                                         down("f32", "f32", "f16", 5, 37, 41)));

// Squares serve any number of slots, also one; 92 and 37 columns fit neither tiles nor the default of rows.
TEST(GroupedSquares, ServeAnyNumberOfSlots) {
    Halide::Target target = kernel_target("cuda");
    for (int64_t B : {1, 2, 15, 16, 17, 64})
        for (const FewRowsCase &c : {up("f16", "f16", "1", B, 92, 124), up("bf16", "bf16", "2", B, 37, 41),
                                     down("f32", "f32", "f32", B, 37, 41)}) {
            SCOPED_TRACE(c.spec.text());
            const Op &op = op_named(c.op);
            Knobs k = op.space(c.spec, target).fallback();
            EXPECT_EQ(k["form"], "squares");
            for (const char *square : {"2", "8"}) {
                k.set("square", square);
                EXPECT_NO_THROW(device_text(op.build(c.spec, k, target)));
            }
        }
}

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at++) n++;
    return n;
}

// The rows of a tile of results go anywhere: by default 16 bytes of a thread at a time.
TEST(GroupedTiles, WriteRowsBySixteenBytes) {
    Halide::Target target = kernel_target("cuda");
    auto ptxas = ptx::Ptxas::find();
    for (int64_t B : {64, 128})
        for (int64_t N : {1472, 1464}) { // also groups of columns that are not in fours in the last tile
            FewRowsCase c = down("bf16", "bf16", "bf16", B, 3872, N);
            const Op &op = op_named(c.op);
            Knobs k = op.space(c.spec, target).fallback();
            EXPECT_EQ(k["form"], "tiles");
            EXPECT_EQ(k["store"], "quads");
            for (const char *columns : {"128", "192", "256"}) {
                k.set("columns", columns);
                SCOPED_TRACE(c.spec.text() + " " + k.text());
                EXPECT_TRUE(op.space(c.spec, target).legal(k));
                std::string made = device_text(op.build(c.spec, k, target));
                int stores = 2 * std::stoi(columns) / 32;
                EXPECT_EQ(count(made, "st.global.v4.b32"), stores);
                EXPECT_EQ(count(made, "st.global"), stores);
                EXPECT_EQ(count(made, "shfl.sync.bfly"), 4 * stores);
                EXPECT_LE(count(made, "ld.global"), 9); // rows and scales of two rows, not of every pair
                if (!ptxas || !ptxas->knows("sm_90a")) continue;
                ptx::Resources used = ptxas->assemble(made, {"sm_90a", 0}).kernels.at(0);
                EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
            }
        }
}

// Blocks that stay: each keeps to a column tile and takes every 22nd, 16th or 11th tile of rows.
TEST(GroupedTiles, BlocksThatStayTakeRowTilesInSeries) {
    Halide::Target target = kernel_target("cuda");
    auto ptxas = ptx::Ptxas::find();
    FewRowsCase c = down("bf16", "bf16", "bf16", 128, 3872, 1472);
    const Op &op = op_named(c.op);
    Space s = op.space(c.spec, target);
    Knobs k = s.fallback();
    k.set("resident", "132");
    EXPECT_FALSE(s.legal(k)); // there are no groups of row tiles then
    k.set("row_group", "0");
    for (auto [columns, series, blocks] : {std::tuple{"256", 22, 132}, {"192", 16, 128}, {"128", 11, 132}})
        for (const char *store : {"quads", "direct"}) {
            k.set("columns", columns);
            k.set("store", store);
            SCOPED_TRACE(k.text());
            EXPECT_TRUE(s.legal(k));
            Kernel kernel = op.build(c.spec, k, target);
            Halide::Module module = lower_to_module(kernel, "kernel", target);
            std::ostringstream host;
            host << module.functions()[0].body;
            EXPECT_NE(host.str().find(", " + std::to_string(blocks) + ", 1, 1, 384, 1, 1, 0, "),
                      std::string::npos)
                << host.str();
            EXPECT_NE(host.str().find("rows.extent.1 + " + std::to_string(series - 1) + ")/" +
                                      std::to_string(series)),
                      std::string::npos);
            std::string made = ptx::device_text(kernel, "kernel", ptx::ptx_of(module));
            EXPECT_EQ(count(made, "wgmma.mma_async"), 4); // one tile, in a loop
            if (!ptxas || !ptxas->knows("sm_90a")) continue;
            ptx::Resources used = ptxas->assemble(made, {"sm_90a", 0}).kernels.at(0);
            EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
        }
}

// y of the algorithm as it is, on the CPU: rows that no slot has keep -1.
std::vector<float> walked(const TileWalk &walk, int tiles) {
    using namespace Halide;
    constexpr int B = 4, E = 8, K = 5, N = 6, rows = 40;
    auto filled = [](Buffer<float> b) {
        int i = 0;
        b.for_each_value([&](float &v) { v = static_cast<float>(i++ * 7 % 11 - 5); });
        return b;
    };
    Buffer<int> to(B, tiles), experts(B, tiles);
    to.for_each_element([&](int slot, int tile) { to(slot, tile) = (tile * B + slot) * 3 % rows; });
    experts.for_each_element([&](int slot, int tile) { experts(slot, tile) = tile == 4 ? -1 : tile % E; });
    FewRowsCase c = down("f32", "f32", "f32", B, K, N);
    GroupedExpertDown op(c.spec, Reads::exact, walk);
    op.operands.buffer("h").set(filled(Buffer<float>(K, B, tiles)));
    op.operands.buffer("w").set(filled(Buffer<float>(K, N, E)));
    op.operands.buffer("scale").set(filled(Buffer<float>(rows)));
    op.operands.buffer("rows").set(to);
    op.operands.buffer("experts").set(experts);
    op.products[0].compute_at(op.out, op.n);
    Buffer<float> y(N, rows);
    y.fill(-1);
    op.out.realize(y);
    return {y.begin(), y.end()};
}

TEST(GroupedTiles, WalksInSeriesReachEveryTileOnce) {
    for (int tiles : {1, 3, 7, 9}) {
        std::vector<float> in_order = walked({}, tiles);
        EXPECT_GT(std::count(in_order.begin(), in_order.end(), -1.f), 0);
        EXPECT_NE(std::count(in_order.begin(), in_order.end(), -1.f), static_cast<long>(in_order.size()));
        for (int apart : {1, 2, 3, 8})
            EXPECT_EQ(walked({{{2, 2}, {2, 1}}, apart}, tiles), in_order) << tiles << " " << apart;
    }
}

TEST(GroupedTiles, RecordedPointsOfOtherFormsStayPoints) {
    Halide::Target target = kernel_target("cuda");
    Space s =
        op_named("grouped_expert_down").space(down("bf16", "bf16", "bf16", 64, 3872, 1472).spec, target);
    Knobs k = s.fallback();
    k.set("form", "squares");
    EXPECT_TRUE(s.legal(k));
    k.set("store", "direct");
    EXPECT_TRUE(s.legal(k));
    k.set("store", "staged");
    EXPECT_FALSE(s.legal(k));
}

TEST(GroupedTiles, WriteByPairsWhereQuadsDoNotFit) {
    Halide::Target target = kernel_target("cuda");
    for (const FewRowsCase &c :
         {down("bf16", "bf16", "f32", 128, 3872, 1472), down("bf16", "bf16", "bf16", 128, 3872, 1476)}) {
        SCOPED_TRACE(c.spec.text());
        const Op &op = op_named(c.op);
        Space s = op.space(c.spec, target);
        Knobs k = s.fallback();
        EXPECT_EQ(k["store"], "direct");
        k.set("form", "tiles");
        EXPECT_TRUE(s.legal(k));
        EXPECT_EQ(count(device_text(op.build(c.spec, k, target)), "shfl.sync.bfly"), 0);
        k.set("store", "quads");
        EXPECT_FALSE(s.legal(k));
    }
}

using GroupedDecode = FewRows;

TEST_P(GroupedDecode, IsTheDefaultAndLoadsAllOfAVectorAtOnce) {
    Knobs k = space().fallback();
    EXPECT_EQ(k["form"], "rows");
    bool two = spec().choices.count("halves");     // products: 2.9 rounds of 512 elements; of one, 7.6
    expect_wide_loads(k, two ? 3 * 5 : 8 * 3, 64); // two blocks of 512 threads
}

// Nothing but the expert is loaded before the branch around all of the tile.
TEST_P(GroupedDecode, TilesNotUsedEndAtTheirFirstLoad) {
    std::string made = text(space().fallback());
    size_t load = made.find("ld.global"), branch = made.find("bra"), next = made.find("ld.global", load + 1);
    ASSERT_NE(next, std::string::npos);
    EXPECT_LT(load, branch);
    EXPECT_LT(branch, next);
    EXPECT_LT(branch, made.find("bar.sync"));
}

INSTANTIATE_TEST_SUITE_P(Specs, GroupedDecode,
                         testing::Values(up("bf16", "bf16", "2", 1, 1472, 3872),
                                         up("f16", "f16", "2", 8, 1472, 3872),
                                         up("bf16", "bf16", "2", 16, 1472, 3872),
                                         down("bf16", "bf16", "bf16", 1, 3872, 1472),
                                         down("bf16", "bf16", "f32", 8, 3872, 1472)));

} // namespace
} // namespace ks::test
