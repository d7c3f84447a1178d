// SPDX-License-Identifier: Apache-2.0
#include "bench/row.h"
#include <gtest/gtest.h>

namespace ks::bench {
namespace {

Row row() {
    Row r{"scan", "a scan", "f32 T=4"};
    r.ours = 2.5;
    r.rival = "loop";
    r.rival_value = 5;
    r.unit = "ms";
    r.ratio = 2;
    r.goal = 2;
    r.note = "quiet \"machine\"";
    return r;
}

TEST(Row, MeetsItsGoalAtTheGoalItself) {
    Row r = row();
    EXPECT_EQ(r.met(), true);
    r.ratio = 1.99;
    EXPECT_EQ(r.met(), false);
}

TEST(Row, MeetsNothingWithoutARivalOrAGoal) {
    Row r = row();
    r.ratio = {};
    EXPECT_EQ(r.met(), std::nullopt);
    r = row();
    r.goal = {};
    EXPECT_EQ(r.met(), std::nullopt);
}

TEST(Row, IsOneLineOfJsonWithTheFieldsInOrder) {
    EXPECT_EQ(row().json(), R"({"id":"scan","what":"a scan","shape":"f32 T=4","ours":2.5,"rival":"loop",)"
                            R"("rival_value":5.0,"unit":"ms","ratio":2.0,"goal":2.0,"met":true,)"
                            R"("note":"quiet \"machine\""})");
}

TEST(Row, WritesAMissingRivalAsNull) {
    Row r = row();
    r.ratio = r.rival_value = {};
    r.note = "libfast.so is not installed";
    EXPECT_EQ(r.json(), R"({"id":"scan","what":"a scan","shape":"f32 T=4","ours":2.5,"rival":"loop",)"
                        R"("rival_value":null,"unit":"ms","ratio":null,"goal":2.0,"met":null,)"
                        R"("note":"libfast.so is not installed"})");
}

} // namespace
} // namespace ks::bench
