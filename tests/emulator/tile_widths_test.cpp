// SPDX-License-Identifier: Apache-2.0
// Tiles of which the launch says how long rows and sums are: one kernel at many widths.
#include "tests/emulator/tile_test.h"

namespace ks::test {
namespace {

constexpr const char *bf16 = "io=bf16,weight=bf16,out=bf16,panel=1";
constexpr const char *f16 = "io=f16,weight=f16,out=f16,panel=1";
constexpr const char *eights = "K=8,P=8";

const std::string mma = "unit=mma,producer=warp,warpgroups=1,", wgmma = "warpgroups=1,";

const std::vector<Tile> tiles = {
    {"linear", bf16, "", {}, "columns=128", eights},
    {"linear", f16, "", {}, wgmma + "columns=64,producer=warp,row_group=1,stages=8", eights},
    {"linear", bf16, "", {}, "columns=64,store=direct", eights},
    {"linear", f16, "", {}, "columns=96,store=quads", eights},
    {"linear", bf16, "", {}, "slabs=2,columns=64,resident=132", eights},
    {"linear", bf16, "", {}, mma + "columns=128,store=quads,stages=3", eights},
    {"linear", f16, "", {}, mma + "columns=32,store=direct,stages=2", eights},
};

class EmulatedWidths : public TileTest, public testing::WithParamInterface<const Tile *> {
  protected:
    // Of the problem alone.
    static Tile at(const Tile &t, int64_t K, int64_t columns) {
        Tile wide = t;
        wide.widths = "K=" + std::to_string(K) + ",P=" + std::to_string(columns);
        return wide;
    }
};

// Sums shorter than a step, of whole steps, longer than the ring; columns narrower than a tile, and no
// multiple of it.
TEST_P(EmulatedWidths, MatchTheirOracles) {
    const Tile &t = *GetParam();
    SCOPED_TRACE(t.op + " " + t.knobs);
    auto kernel = built(t);
    for (int64_t K : {8, 128, 584})
        for (int64_t columns : {8, 64, 200})
            for (int64_t rows : {1, 130}) matches_oracle(*kernel, problem(at(t, K, columns), rows));
}

INSTANTIATE_TEST_SUITE_P(Tiles, EmulatedWidths, testing::ValuesIn(each(tiles)), name);

} // namespace
} // namespace ks::test
