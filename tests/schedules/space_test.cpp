// SPDX-License-Identifier: Apache-2.0
// Knobs that vary only with one form of a kernel.
#include "schedules/space.h"
#include <gmock/gmock.h>

namespace ks {
namespace {

using testing::ElementsAre;

Space two_forms() {
    Space s;
    s.knob("form", std::vector<std::string>{"a", "b"}, "b", "");
    s.begin_group([](const Knobs &k) { return k["form"] == "a"; });
    s.knob("x", {1, 2, 3}, 2, "");
    s.end_group();
    s.begin_group([](const Knobs &k) { return k["form"] == "b"; });
    s.knob("y", {1, 2}, 1, "");
    s.end_group();
    s.knob("z", {0, 1}, 0, "");
    return s;
}

std::vector<std::string> text(const std::vector<Knobs> &points) {
    std::vector<std::string> all;
    for (const Knobs &k : points) all.push_back(k["form"] + k["x"] + k["y"] + k["z"]);
    return all;
}

TEST(Space, AGroupVariesWhereItIsOn) {
    Space s = two_forms();
    EXPECT_THAT(text(s.all()),
                ElementsAre("b210", "a110", "a210", "a310", "b220", "a111", "a211", "b211", "a311", "b221"));
    Knobs k = s.fallback();
    k.set("x", "3");
    EXPECT_FALSE(s.legal(k));
    k.set("form", "a");
    EXPECT_TRUE(s.legal(k));
    EXPECT_THAT(text(s.neighbours(s.fallback())), ElementsAre("a210", "b220", "b211"));
}

TEST(Space, RulesHoldInGroupsToo) {
    Space s = two_forms();
    s.rule([](const Knobs &k) { return k["z"] == "0" && k["x"] != "1"; });
    EXPECT_THAT(text(s.all()), ElementsAre("b210", "a210", "a310", "b220"));
}

// What does not vary there keeps its own default.
TEST(Space, TheDefaultPointMayBeAnotherThanAllDefaults) {
    Space s = two_forms();
    Knobs defaults = s.fallback();
    s.set_fallback({{"form", "a"}, {"x", "3"}});
    EXPECT_EQ(s.fallback()["x"], "3");
    EXPECT_EQ(s.all().at(0), s.fallback());
    EXPECT_EQ(s.all().size(), two_forms().all().size());
    EXPECT_TRUE(s.legal(defaults));
    EXPECT_EQ(s.with({}), defaults);
    Knobs elsewhere = s.fallback();
    elsewhere.set("form", "b");
    EXPECT_FALSE(s.legal(elsewhere));
}

// Where it does not vary; where it does it is a value like others.
TEST(Space, PointsWithAFormerDefaultStayLegal) {
    Space s;
    s.knob("form", std::vector<std::string>{"a", "b"}, "a", "");
    s.begin_group([](const Knobs &k) { return k["form"] == "b"; });
    s.knob("x", {1, 2, 3}, 2, "");
    s.end_group();
    s.formerly("x", "1");
    auto point = [](const char *form, const char *x) {
        return Knobs(std::map<std::string, std::string>{{"form", form}, {"x", x}});
    };
    EXPECT_TRUE(s.legal(point("a", "1")));
    EXPECT_TRUE(s.legal(point("a", "2")));
    EXPECT_FALSE(s.legal(point("a", "3")));
    EXPECT_THAT(s.all(), ElementsAre(point("a", "2"), point("b", "1"), point("b", "2"), point("b", "3")));
}

// What was recorded before the knob was there is still the same point of the space.
TEST(Space, ALaterKnobIsNamedOnlyWhereItIsNotItsDefault) {
    Space before = two_forms(), s = two_forms();
    s.begin_group([](const Knobs &k) { return k["form"] == "a"; });
    s.later_knob("late", {1, 2, 4}, 1, "");
    s.end_group();
    EXPECT_EQ(s.fallback(), before.fallback());
    size_t named = 0;
    for (const Knobs &k : s.all()) {
        named += k.has("late");
        EXPECT_TRUE(s.legal(k)) << k.text();
        EXPECT_EQ(before.legal(k), !k.has("late")) << k.text();
    }
    EXPECT_EQ(named, 2u * 6); // of form a, 2 and 4
    EXPECT_EQ(s.all().size(), before.all().size() + named);
    Knobs k = before.all().at(1);
    ASSERT_EQ(k["form"], "a");
    EXPECT_TRUE(s.legal(k));
    k.set("late", "1"); // a second name of the same point
    EXPECT_FALSE(s.legal(k));
    k.set("late", "2");
    EXPECT_TRUE(s.legal(k));
    auto near = s.neighbours(k);
    Knobs one = k, four = k;
    one.unset("late"), four.set("late", "4");
    EXPECT_THAT(near, testing::IsSupersetOf({one, four}));
    k.set("form", "b");
    EXPECT_FALSE(s.legal(k));
    Knobs unknown = before.fallback();
    unknown.set("lately", "2");
    EXPECT_FALSE(s.legal(unknown));
}

} // namespace
} // namespace ks
