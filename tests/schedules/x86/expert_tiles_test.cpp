// SPDX-License-Identifier: Apache-2.0
// Tiles of experts against values written down by hand, and over sizes with too few, enough and too many
// tiles.
#include "tests/oracles/expert_tiles.h"
#include "tests/support/op_call.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {

void check(const oracle::Grouping &groups, int slots, int tiles, const std::string &isa, bool fixed) {
    SCOPED_TRACE(testing::Message() << isa << " B=" << slots << " G=" << tiles << " fixed=" << fixed
                                    << " T=" << groups.permutation.size() << " E=" << groups.counts.size());
    OpCall call("expert_tiles", {},
                {{"T", static_cast<int64_t>(groups.permutation.size())},
                 {"E", static_cast<int64_t>(groups.counts.size())},
                 {"G", tiles},
                 {"B", slots}},
                isa, fixed);
    auto real = [](const std::vector<int> &v) { return std::vector<double>(v.begin(), v.end()); };
    call.set("counts", real(groups.counts));
    call.set("offsets", real(groups.offsets));
    call.set("permutation", real(groups.permutation));
    EXPECT_EQ(call.run(), "");
    oracle::ExpertTiles wanted = oracle::expert_tiles(groups, slots, tiles);
    EXPECT_EQ(call.get_integers("rows"), wanted.rows);
    EXPECT_EQ(call.get_integers("experts"), wanted.experts);
}

oracle::Grouping grouped(int tokens, int experts, int (*expert_of)(int token, int experts)) {
    std::vector<int> index;
    for (int t = 0; t < tokens; t++) index.push_back(expert_of(t, experts));
    return oracle::group_by_expert(index, experts);
}

TEST(ExpertTiles, AllShapes) {
    auto mixed = [](int t, int experts) { return t * t % 7 % experts; };
    auto last = [](int, int experts) { return experts - 1; };
    for (const auto &isa : isas())
        for (int experts : {1, 2, 8, 256})
            for (int tokens : {1, 3, 64, 257})
                for (int slots : {1, 4, 7, 64, 256})
                    for (auto groups : {grouped(tokens, experts, mixed), grouped(tokens, experts, last)}) {
                        int enough = std::min(tokens, (tokens + experts * (slots - 1)) / slots);
                        for (int tiles : {1, enough, enough + 3}) check(groups, slots, tiles, isa, false);
                    }
}

TEST(ExpertTiles, FixedWidths) {
    auto mixed = [](int t, int experts) { return t % experts / 2; };
    for (const auto &isa : isas())
        for (int slots : {1, 16, 128}) check(grouped(257, 8, mixed), slots, 30, isa, true);
}

// The bound of the contract: so many tiles hold every token.
TEST(ExpertTiles, SoManyAlwaysSuffice) {
    for (int experts : {1, 3, 8})
        for (int slots : {1, 2, 5, 16})
            for (int tokens : {1, 7, 40})
                for (int spread : {1, 2, 3}) {
                    std::vector<int> index;
                    for (int t = 0; t < tokens; t++) index.push_back(t % spread % experts);
                    auto groups = oracle::group_by_expert(index, experts);
                    int enough = std::min(tokens, (tokens + experts * (slots - 1)) / slots), used = 0;
                    for (int n : groups.counts) used += (n + slots - 1) / slots;
                    EXPECT_LE(used, enough);
                }
}

} // namespace
} // namespace ks::test
