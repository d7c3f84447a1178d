// SPDX-License-Identifier: Apache-2.0
// Tiles on tensor cores against the oracles of their ops, at sizes that are no multiples of the tiles.
#include "tests/emulator/tile_test.h"
#include <random>

namespace ks::test {
namespace {

constexpr const char *bf16 = "io=bf16,weight=bf16,out=bf16,panel=1";
constexpr const char *f16 = "io=f16,weight=f16,out=f16,panel=1";
constexpr const char *gated = "io=bf16,weight=bf16,halves=2,act=silu";
constexpr const char *plain = "io=f16,weight=f16,halves=1,act=gelu_erf";
constexpr const char *down = "io=bf16,weight=bf16,out=bf16", *wide = "io=f16,weight=f16,out=f32";

const std::string mma = "unit=mma,producer=warp,warpgroups=1,";

// Results leave in every way; K is no multiple of a step, or as long as the ring, rows and columns are no
// multiples of a tile; experts have few rows or none.
const std::vector<Tile> tiles = {
    {"linear", bf16, "K=136,P=200", {1, 100, 130}, "warpgroups=1,columns=128,stages=2"},
    {"linear", bf16, "K=64,P=72", {200}, "columns=64,row_group=1,producer=warp"},
    {"linear", f16, "K=264,P=136", {200}, "slabs=2,columns=64,row_group=0,stages=3"},
    {"linear", bf16, "K=520,P=104", {130}, "columns=96,store=direct"},
    {"linear", f16, "K=520,P=124", {70}, "warpgroups=1,columns=64,store=direct,tile_blocks=2"},
    {"linear", bf16, "K=200,P=104", {200}, "columns=96,store=quads"},
    {"linear", bf16, "K=520,P=248", {100, 64}, "warpgroups=1,columns=256,splits=4,store=quads,row_group=1"},
    {"linear", f16, "K=520,P=124", {70}, "warpgroups=1,columns=64,splits=8,store=direct,stages=6"},
    {"linear", bf16, "K=136,P=72", {150}, "columns=128,splits=2,row_group=1"},
    {"linear", bf16, "K=200,P=200", {100}, "unit=mma,producer=warp,columns=64,store=direct,stages=3"},
    {"linear", f16, "K=136,P=104", {70}, mma + "columns=32,store=quads,stages=2"},
    {"linear", bf16, "K=128,P=64", {300}, mma + "slabs=2,columns=64,store=quads,stages=3"},
    {"grouped_expert_up", gated, "B=64,E=4,K=136,F=72", {150}, "warpgroups=1,columns=128,stages=2"},
    {"grouped_expert_up",
     plain,
     "B=128,E=3,K=200,F=104",
     {200},
     "slabs=2,warpgroups=1,columns=96,store=quads"},
    {"grouped_expert_up", gated, "B=128,E=3,K=72,F=100", {250}, "columns=192,store=direct"},
    {"grouped_expert_down", down, "B=64,E=4,K=136,N=104", {150}, "warpgroups=1,columns=96"},
    {"grouped_expert_down", down, "B=128,E=3,K=72,N=100", {250}, "columns=96,store=direct"},
    {"grouped_expert_down", wide, "B=64,E=2,K=264,N=68", {100}, "warpgroups=1,columns=64,store=direct"},
};

// More tiles than there are blocks that stay, which is 132 in all legal points.
const std::vector<Tile> residents = {
    {"linear", bf16, "K=72,P=520", {1050}, "warpgroups=1,columns=64,resident=132,row_group=4"},
    {"linear", f16, "K=72,P=200", {700}, "warpgroups=1,columns=16,store=direct,resident=132,row_group=0"},
    {"linear", bf16, "K=72,P=296", {900}, "warpgroups=1,columns=32,store=quads,resident=132"},
    {"linear", bf16, "K=72,P=296", {900}, mma + "columns=32,store=quads,stages=3,resident=132"},
    {"grouped_expert_up", gated, "B=64,E=90,K=72,F=72", {300}, "warpgroups=1,columns=128,resident=132"},
    {"grouped_expert_down",
     down,
     "B=64,E=90,K=72,N=232",
     {290},
     "warpgroups=1,columns=128,row_group=0,resident=132"},
};

// Of whose legal points some are taken, the same every time.
const std::vector<Tile> spaces = {
    {"linear", bf16, "K=584,P=104", {1, 131}, ""},
    {"linear", f16, "K=136,P=126", {201}, ""},
    {"grouped_expert_up", gated, "B=128,E=5,K=136,F=104", {200}, ""},
    {"grouped_expert_up", plain, "B=64,E=5,K=72,F=64", {131}, ""},
    {"grouped_expert_down", down, "B=128,E=5,K=136,N=200", {200}, ""},
    {"grouped_expert_down", wide, "B=64,E=5,K=72,N=126", {131}, ""},
};

class EmulatedTiles : public TileTest, public testing::WithParamInterface<const Tile *> {};

TEST_P(EmulatedTiles, MatchTheirOracles) {
    const Tile &t = *GetParam();
    SCOPED_TRACE(t.op + " " + t.widths + " " + t.knobs);
    auto kernel = built(t);
    for (int64_t rows : t.rows) matches_oracle(*kernel, problem(t, rows));
}

class EmulatedSpaces : public EmulatedTiles {};

TEST_P(EmulatedSpaces, PointsMatchTheirOracles) {
    const Tile &t = *GetParam();
    std::vector<Knobs> points = op_named(t.op).space(spec_of(t), kernel_target("cuda")).all();
    auto other = [](const Knobs &k) { return k["form"] != "tiles"; };
    points.erase(std::remove_if(points.begin(), points.end(), other), points.end());
    std::mt19937 engine(3);
    constexpr int count = 6;
    for (int i = 0; i < count; i++) {
        const Knobs &k = points.at(engine() % points.size());
        SCOPED_TRACE(t.op + " " + t.widths + " " + k.text());
        std::unique_ptr<tune::Artefact> kernel;
        EXPECT_NO_THROW(kernel = built(t, k));
        for (int64_t rows : t.rows)
            if (kernel) matches_oracle(*kernel, problem(t, rows));
    }
}

INSTANTIATE_TEST_SUITE_P(Forms, EmulatedTiles, testing::ValuesIn(each(tiles)), name);
INSTANTIATE_TEST_SUITE_P(Resident, EmulatedTiles, testing::ValuesIn(each(residents)), name);
INSTANTIATE_TEST_SUITE_P(Ops, EmulatedSpaces, testing::ValuesIn(each(spaces)), name);

} // namespace
} // namespace ks::test
