// SPDX-License-Identifier: Apache-2.0
// The form of linear on tensor cores: which widths have it, and what is on record of its space.
#include "autotune/candidate.h"
#include "schedules/registry.h"
#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <random>

namespace ks {
namespace {

Spec spec_of(int64_t K, int64_t P) {
    return {{{"io", "bf16"}, {"weight", "bf16"}, {"out", "bf16"}, {"panel", "1"}}, {{"K", K}, {"P", P}}};
}

Space space_of(int64_t K, int64_t P) {
    return op_named("linear").space(spec_of(K, P), kernel_target("cuda"));
}

Knobs tile(const Space &space, const std::map<std::string, std::string> &changes) {
    Knobs k = space.fallback();
    k.set("form", "tiles");
    k.set("warpgroups", "1");
    for (const auto &[name, value] : changes) k.set(name, value);
    return k;
}

// Tensor maps read rows of x and w in whole 16 bytes; results that a thread stores itself need but pairs.
TEST(LinearTiles, OnlyStagedStoresAskForRowsOfWholeVectors) {
    for (int64_t P : {124, 126, 130}) {
        Space s = space_of(2944, P);
        EXPECT_TRUE(s.legal(s.fallback()));
        EXPECT_TRUE(s.legal(tile(s, {{"columns", "32"}, {"store", "direct"}})));
        EXPECT_FALSE(s.legal(tile(s, {{"columns", "64"}, {"store", "staged"}})));
    }
    Space even = space_of(2944, 128);
    EXPECT_TRUE(even.legal(tile(even, {{"columns", "64"}, {"store", "staged"}})));
    for (auto [K, P] : {std::pair{2944, 125}, {92, 2944}}) {
        Space s = space_of(K, P);
        EXPECT_FALSE(s.legal(tile(s, {{"columns", "32"}, {"store", "direct"}}))) << K << " " << P;
    }
}

TEST(LinearTiles, QuadsAskForRowsOfWholeVectorsAndThirtyTwoColumns) {
    const std::map<std::string, std::string> quads = {{"columns", "96"}, {"store", "quads"}};
    EXPECT_FALSE(space_of(2944, 124).legal(tile(space_of(2944, 124), quads)));
    Space s = space_of(2944, 1472);
    EXPECT_EQ(s.fallback()["store"], "staged");
    EXPECT_TRUE(s.legal(tile(s, quads)));
    EXPECT_TRUE(s.legal(tile(s, {{"columns", "256"}, {"store", "quads"}, {"splits", "4"}})));
    EXPECT_TRUE(
        s.legal(tile(s, {{"unit", "mma"}, {"columns", "64"}, {"producer", "warp"}, {"store", "quads"}})));
    EXPECT_FALSE(s.legal(tile(s, {{"columns", "240"}, {"store", "quads"}})));
    EXPECT_FALSE(s.legal(tile(s, {{"columns", "64"}, {"store", "quads"}, {"splits", "4"}})));
}

TEST(LinearTiles, SplitsOfKAreLegalWhereTheTileOperationIs) {
    Space s = space_of(2944, 1472);
    const std::map<std::string, std::string> eight = {
        {"splits", "8"}, {"columns", "64"}, {"store", "direct"}, {"stages", "6"}};
    EXPECT_TRUE(s.legal(tile(s, eight)));
    for (auto [name, value] :
         {std::pair{"columns", "32"}, {"resident", "132"}, {"store", "staged"}, {"form", "squares"}}) {
        auto changed = eight;
        changed[name] = value;
        EXPECT_FALSE(s.legal(tile(s, changed))) << name;
    }
    Space short_sums = space_of(448, 1472); // 7 steps
    EXPECT_FALSE(short_sums.legal(tile(short_sums, eight)));
}

// What Halide would make of guards: a tile with columns that nobody computes, or turns that end by thread.
TEST(LinearTiles, StoresOfThreadsKeepTheTileWhole) {
    Space s = space_of(2304, 104);
    EXPECT_TRUE(s.legal(tile(s, {{"columns", "96"}, {"store", "direct"}})));
    EXPECT_FALSE(s.legal(tile(s, {{"columns", "128"}, {"store", "direct"}})));
    EXPECT_TRUE(s.legal(tile(s, {{"columns", "128"}, {"store", "staged"}})));
    const std::map<std::string, std::string> turns = {
        {"columns", "64"}, {"store", "direct"}, {"resident", "132"}, {"row_group", "4"}};
    EXPECT_TRUE(s.legal(tile(s, turns)));
    auto one_row = turns;
    one_row["row_group"] = "1";
    EXPECT_FALSE(s.legal(tile(s, one_row)));
    for (auto [columns, resident, legal] :
         {std::tuple{"48", "132", false}, {"48", "264", false}, {"32", "132", true}, {"64", "264", false}}) {
        auto whole_groups = turns; // of four row tiles, 12, 16 or 8 tiles: so many in a turn
        whole_groups["columns"] = columns, whole_groups["resident"] = resident;
        EXPECT_EQ(s.legal(tile(s, whole_groups)), legal) << columns << " " << resident;
    }
    Space narrow = space_of(2304, 64);
    EXPECT_FALSE(narrow.legal(tile(narrow, turns)));
}

// Every legal point can be built; some of each width, the same every time.
TEST(LinearTiles, LegalPointsCanBeBuilt) {
    std::mt19937 engine(5);
    for (int64_t P : {104, 124, 1472}) {
        std::vector<Knobs> tiles = space_of(2304, P).all();
        auto other = [](const Knobs &k) { return k["form"] != "tiles"; };
        tiles.erase(std::remove_if(tiles.begin(), tiles.end(), other), tiles.end());
        ASSERT_GT(tiles.size(), 1000u);
        for (int i = 0; i < 8; i++) {
            const Knobs &k = tiles[engine() % tiles.size()];
            SCOPED_TRACE(std::to_string(P) + " columns: " + k.text());
            Kernel kernel = op_named("linear").build(spec_of(2304, P), k, kernel_target("cuda"));
            EXPECT_NO_THROW(lower_to_module(kernel, "kernel", kernel_target("cuda")));
        }
    }
}

// Tables from before a knob was there.
TEST(LinearTiles, RecordedPointsStayPoints) {
    std::ifstream file(std::string(KS_SOURCE_DIR) +
                       "/bench/results/nvidia-h100-80gb-hbm3-2026-11-25-products-table.json");
    int rules = 0;
    const nlohmann::json table = nlohmann::json::parse(file);
    for (const auto &rule : table.at("rules")) {
        Spec spec{rule.at("choices"), rule.at("fixed").get<Dims>()};
        Knobs k = tune::parse_knobs(rule.at("knobs"));
        k.unset("widths");
        EXPECT_TRUE(op_named(rule.at("op")).space(spec, kernel_target("cuda")).legal(k)) << rule;
        rules++;
    }
    EXPECT_GT(rules, 50);
}

} // namespace
} // namespace ks
