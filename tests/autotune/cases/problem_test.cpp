// SPDX-License-Identifier: Apache-2.0
// What problems hold beside random numbers: sizes that follow from others, and routed rows.
#include "autotune/cases/problem.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>
#include <set>

namespace ks::cases {
namespace {

TEST(Problem, DimensionsFollowFromWidthsAndTheRest) {
    const Contract &down = op_named("expert_down").contract;
    Dims dims = call_dims(down, {{}, {{"K", 8}, {"P", 2}}}, {{"R", 3}});
    EXPECT_EQ(dims.at("T"), 3);
    EXPECT_EQ(dims.at("K"), 8);
    EXPECT_ANY_THROW(call_dims(down, {{}, {{"K", 8}}}, {{"R", 3}}));
    const Contract &up = op_named("grouped_expert_up").contract;
    const Spec spec{{}, {{"B", 4}, {"E", 3}, {"K", 8}, {"F", 5}}};
    EXPECT_EQ(call_dims(up, spec, {{"T", 2}}).at("G"), 2);
    EXPECT_EQ(call_dims(up, spec, {{"T", 20}}).at("G"), 7);
    EXPECT_EQ(call_dims(up, spec, {{"T", 20}, {"G", 1}}).at("G"), 1);
    EXPECT_ANY_THROW(call_dims(up, spec, {}));
}

TEST(Problem, OpsTakeTilesWhereSlotsAreInputs) {
    for (const Op &op : all_ops()) {
        const std::string &name = op.contract.name;
        bool takes = name == "grouped_expert_up" || name == "grouped_expert_down";
        EXPECT_EQ(takes_tiles(op.contract), takes) << name;
    }
}

Problem down(int64_t rows, int64_t slots) {
    const Contract &c = op_named("grouped_expert_down").contract;
    const Spec spec{{{"io", "f32"}, {"weight", "f32"}, {"out", "f32"}},
                    {{"B", slots}, {"E", 4}, {"K", 3}, {"N", 2}}};
    return random_problem(c, spec.choices, call_dims(c, spec, {{"T", rows}}));
}

TEST(Problem, EveryRowIsInTilesOfOneExpert) {
    for (int64_t rows : {1, 2, 33, 257, 400})
        for (int64_t slots : {1, 3, 8}) {
            Problem p = down(rows, slots);
            const Values &row = p.in.at("rows"), &expert = p.in.at("experts");
            std::map<double, std::set<double>> experts_of;
            for (size_t slot = 0; slot < row.size(); slot++) {
                size_t first = slot / static_cast<size_t>(slots) * static_cast<size_t>(slots);
                ASSERT_EQ(expert[slot], expert[first]);
                if (expert[slot] >= 0) experts_of[row[slot]].insert(expert[slot]);
            }
            ASSERT_EQ(experts_of.size(), static_cast<size_t>(rows)) << p.text();
            EXPECT_EQ(experts_of.begin()->first, 0);
            EXPECT_EQ(experts_of.rbegin()->first, rows - 1);
            std::set<double> busy;
            for (const auto &[r, e] : experts_of) {
                ASSERT_EQ(e.size(), 1u) << "row " << r;
                busy.insert(*e.begin());
            }
            bool few = rows <= 300; // they leave one expert idle
            if (rows > 32) {
                EXPECT_EQ(busy.size(), few ? 3u : 4u);
                EXPECT_EQ(busy.count(1), few ? 0u : 1u);
            }
        }
}

TEST(Problem, SlotsOfTheSameRowWriteTheSame) {
    Problem p = down(33, 8);
    const Values &row = p.in.at("rows"), &expert = p.in.at("experts"), &h = p.in.at("h");
    size_t repeats = 0;
    for (size_t slot = 1; slot < row.size(); slot++) {
        if (slot % 8 == 0 || expert[slot] < 0 || row[slot] != row[slot - 1]) continue;
        repeats++;
        for (size_t k = 0; k < 3; k++) ASSERT_EQ(h[slot * 3 + k], h[(slot - 1) * 3 + k]);
    }
    EXPECT_GT(repeats, 0u);
}

} // namespace
} // namespace ks::cases
