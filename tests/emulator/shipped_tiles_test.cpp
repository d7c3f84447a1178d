// SPDX-License-Identifier: Apache-2.0
// The tile operations that tables for GPUs ship with, at small widths.
#include "autotune/dispatch.h"
#include "tests/emulator/tile_test.h"
#include <filesystem>
#include <set>

namespace ks::test {
namespace {

Tile small(const tune::Rule &rule) {
    Knobs k = tune::parse_knobs(rule.knobs);
    k.unset("widths");
    std::string choices;
    for (const auto &[name, value] : rule.choices)
        choices += (choices.empty() ? "" : ",") + name + "=" + value;
    // Ten steps, the last of which is not whole, and at least a whole tile of columns.
    std::string widths = k.integer("columns") <= 128 ? "K=584,P=136" : "K=584,P=264";
    if (rule.op != "linear")
        widths = "K=200,E=3,B=" + std::to_string(rule.fixed.at("B")) +
                 (rule.op == "grouped_expert_up" ? ",F=264" : ",N=264");
    return {rule.op, choices, widths, {70}, k.text()};
}

using ShippedTiles = TileTest;

TEST_F(ShippedTiles, MatchTheirOracles) {
    std::set<std::string> seen;
    for (const auto &file : std::filesystem::directory_iterator(KS_SOURCE_DIR "/schedules/tuned"))
        for (const tune::Rule &rule : tune::load_table(file.path()).rules) {
            if (rule.knobs.find("form=tiles") == std::string::npos) continue;
            const Tile t = small(rule);
            if (!seen.insert(t.op + " " + t.widths + " " + t.knobs).second) continue;
            SCOPED_TRACE(t.op + " " + t.widths + " " + t.knobs);
            matches_oracle(*built(t), problem(t, t.rows[0]));
        }
    EXPECT_GT(seen.size(), 20u);
}

} // namespace
} // namespace ks::test
