// SPDX-License-Identifier: Apache-2.0
// Where a variant may replace the default: only between measured ends with a measured middle, never where
// slower.
#include "autotune/intervals.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>
#include <set>

using namespace ks::tune;

namespace {

// ratios[knobs][i] at shapes[i]; 0: not measured there. Intervals of 1 % around each ratio, no ties unless
// ratio is 1.
std::vector<Rule> rules(const std::vector<ks::Dims> &shapes,
                        const std::map<std::string, std::vector<double>> &ratios, bool all_tied = false) {
    Task task;
    task.op = "scan", task.isa = "avx2";
    task.space.knob("a", {0, 1, 2, 3}, 0, "");
    task.space.knob("b", {0, 1}, 0, "");
    Result result;
    for (size_t i = 0; i < shapes.size(); i++) {
        ShapeResult s{shapes[i], {{{"scan", {}, "avx2", task.space.fallback()}, 1.0, {}, false}}, 0};
        double best = 1;
        for (const auto &[knobs, list] : ratios)
            if (list[i] > 0) best = std::min(best, list[i]);
        s.finalists[0].tied = best >= 0.99;
        for (const auto &[knobs, list] : ratios)
            if (list[i] > 0)
                s.finalists.push_back({{"scan", {}, "avx2", parse_knobs(knobs)},
                                       list[i],
                                       {list[i], list[i] - 0.01, list[i] + 0.01},
                                       all_tied || list[i] == best});
        result.shapes.push_back(s);
    }
    return make_rules(task, result, "2026-01-02");
}

std::vector<ks::Dims> line(const std::vector<int64_t> &values) {
    std::vector<ks::Dims> shapes;
    for (int64_t t : values) shapes.push_back({{"T", t}});
    return shapes;
}

std::set<std::string> text(const std::vector<Rule> &list) {
    std::set<std::string> t;
    for (const Rule &r : list) t.insert(r.knobs + " [" + r.where_text() + "]");
    return t;
}

using Set = std::set<std::string>;

TEST(Intervals, MiddleIsOnEitherScale) {
    EXPECT_TRUE(is_middle(1, 50, 100));
    EXPECT_TRUE(is_middle(1, 10, 100));
    EXPECT_FALSE(is_middle(1, 2, 100));
    EXPECT_FALSE(is_middle(1, 99, 100));
    EXPECT_FALSE(is_middle(1, 1, 100));
    EXPECT_FALSE(is_middle(5, 5, 5));
    EXPECT_EQ(ladder(1, 8), (std::vector<int64_t>{1, 2, 4, 8}));
    EXPECT_EQ(ladder(3, 9), (std::vector<int64_t>{3, 4, 8, 9}));
    EXPECT_EQ(ladder(5, 7), (std::vector<int64_t>{5, 6, 7}));
    EXPECT_EQ(ladder(5, 5), (std::vector<int64_t>{5}));
    EXPECT_EQ(ladder(1, 2), (std::vector<int64_t>{1, 2}));
}

TEST(Intervals, NeedEndsAndMiddle) {
    EXPECT_EQ(text(rules(line({1, 16, 256}), {{"a=1,b=0", {0.8, 0.8, 0.8}}})), (Set{"a=1,b=0 [T=1..256]"}));
    // Without a middle the two ends stand for themselves only.
    EXPECT_EQ(text(rules(line({1, 256}), {{"a=1,b=0", {0.8, 0.8}}})),
              (Set{"a=1,b=0 [T=1]", "a=1,b=0 [T=256]"}));
    EXPECT_EQ(text(rules(line({1, 2, 256}), {{"a=1,b=0", {0.8, 0.8, 0.8}}})),
              (Set{"a=1,b=0 [T=1..2]", "a=1,b=0 [T=256]"}));
    EXPECT_EQ(text(rules(line({7, 8}), {{"a=1,b=0", {0.8, 0.8}}})),
              (Set{"a=1,b=0 [T=7..8]"})); // nothing between
    // Measured at the ends, not in the middle.
    EXPECT_EQ(text(rules(line({1, 16, 256}), {{"a=1,b=0", {0.8, 0, 0.8}}})),
              (Set{"a=1,b=0 [T=1]", "a=1,b=0 [T=256]"}));
}

TEST(Intervals, StopWhereTheVariantIsSlower) {
    EXPECT_EQ(text(rules(line({1, 4, 16, 64, 256}), {{"a=1,b=0", {1.2, 0.9, 0.8, 0.8, 0.7}}})),
              (Set{"a=1,b=0 [T=4..256]"}));
    EXPECT_EQ(text(rules(line({1, 4, 16, 64, 256}), {{"a=1,b=0", {0.9, 0.9, 1.001, 0.8, 0.7}}})),
              (Set{"a=1,b=0 [T=1]", "a=1,b=0 [T=4]", "a=1,b=0 [T=64]", "a=1,b=0 [T=256]"}));
    EXPECT_TRUE(rules(line({1, 4, 16}), {{"a=1,b=0", {1.2, 1.3, 1.1}}}).empty());
    EXPECT_TRUE(rules(line({1, 4, 16}), {}).empty());
}

TEST(Intervals, NeedAShapeThatIsFasterBeyondDoubt) {
    EXPECT_TRUE(rules(line({1, 4, 16}), {{"a=1,b=0", {0.995, 0.995, 0.995}}}).empty());
}

TEST(Intervals, ChooseTheVariantOfLargestGain) {
    auto list = rules(line({1, 2, 4, 64, 128, 256}), {{"a=1,b=0", {0.5, 0.5, 0.5, 0.9, 0.9, 0.9}},
                                                      {"a=2,b=0", {0.9, 0.9, 0.9, 0.5, 0.5, 0.5}}});
    EXPECT_EQ(text(list), (Set{"a=1,b=0 [T=1..4]", "a=2,b=0 [T=64..256]"}));
    EXPECT_EQ(list[0].evidence.size(), 3u);
}

TEST(Intervals, OfTiedVariantsTheSimplerIsTaken) {
    std::map<std::string, std::vector<double>> r = {{"a=1,b=1", {0.79, 0.79, 0.79}},
                                                    {"a=3,b=0", {0.8, 0.8, 0.8}}};
    EXPECT_EQ(text(rules(line({1, 4, 16}), r, true)), (Set{"a=3,b=0 [T=1..16]"}));
    EXPECT_EQ(text(rules(line({1, 4, 16}), r, false)), (Set{"a=1,b=1 [T=1..16]"}));
}

TEST(Intervals, JoinASecondDimensionUnderTheSameRule) {
    std::vector<ks::Dims> grid;
    for (int64_t b : {1, 4, 16})
        for (int64_t t : {1, 4, 16, 64}) grid.push_back({{"B", b}, {"T", t}});
    std::vector<double> good(12, 0.8);
    EXPECT_EQ(text(rules(grid, {{"a=1,b=0", good}})), (Set{"a=1,b=0 [B=1..16, T=1..64]"}));
    auto spoilt = good;
    spoilt[6] = 1.5; // B=4, T=16: the lines B=1 and B=16 are no longer one box
    auto split = text(rules(grid, {{"a=1,b=0", spoilt}}));
    EXPECT_TRUE(split.count("a=1,b=0 [B=1, T=1..64]"));
    EXPECT_TRUE(split.count("a=1,b=0 [B=16, T=1..64]"));
    auto list = rules(grid, {{"a=1,b=0", spoilt}});
    for (const Rule &r : list)
        EXPECT_FALSE(r.where.at("B").holds(4) && r.where.at("T").holds(16)) << r.where_text();
}

// Random ratios: whatever is chosen is disjoint, measured and nowhere slower.
TEST(Intervals, NeverCoverAMeasuredLoss) {
    for (unsigned seed = 1; seed < 200; seed++) {
        unsigned state = seed * 2654435761u;
        auto lot = [&] { return (state = state * 1664525u + 1013904223u) >> 16; };
        std::vector<ks::Dims> grid;
        for (int64_t b : {1, 2, 4, 8})
            for (int64_t t : {1, 3, 9, 27, 81}) grid.push_back({{"B", b}, {"T", t}});
        std::map<std::string, std::vector<double>> r;
        for (const char *k : {"a=1,b=0", "a=2,b=0", "a=3,b=1"})
            for (size_t i = 0; i < grid.size(); i++)
                r[k].push_back(lot() % 12 == 0 ? 0 : lot() % 6 == 0 ? 1.2 : 0.5 + 0.001 * (lot() % 400));
        auto list = rules(grid, r);
        Table table{"cpu", list, {}};
        for (size_t i = 0; i < grid.size(); i++) {
            int covering = 0;
            for (const Rule &rule : list) {
                if (!rule.where.at("B").holds(grid[i].at("B")) || !rule.where.at("T").holds(grid[i].at("T")))
                    continue;
                covering++;
                double ratio = r[rule.knobs][i];
                EXPECT_GT(ratio, 0) << seed;
                EXPECT_LE(ratio, 1) << seed;
            }
            EXPECT_LE(covering, 1) << seed;
        }
    }
}

TEST(Intervals, TunedRecordsWhatCameNearest) {
    Task task;
    task.op = "scan", task.isa = "avx2", task.versions = {3, "cc 1"};
    task.spec = {{{"io", "f32"}}, {{"N", 16}}};
    task.space.knob("a", {0, 1, 2}, 0, "");
    auto finalist = [&](int a, double ratio) {
        return Finalist{{"scan", task.spec, "avx2", parse_knobs("a=" + std::to_string(a))},
                        ratio,
                        {ratio, ratio, ratio},
                        false};
    };
    Result result;
    result.shapes = {{{{"T", 1}}, {finalist(0, 1), finalist(1, 1.2), finalist(2, 1.1)}, 0},
                     {{{"T", 8}}, {finalist(0, 1)}, 0}}; // every other failed there
    Tuned t = make_tuned(task, result, "2026-01-02");
    EXPECT_EQ(t.op_version, 3);
    EXPECT_EQ(t.fixed, task.spec.fixed);
    ASSERT_EQ(t.rivals.size(), 1u);
    EXPECT_EQ(t.rivals[0].knobs, "a=2");
    EXPECT_EQ(t.rivals[0].ratio, 1.1);
    EXPECT_EQ(make_rules(task, result, "2026-01-02").size(), 0u);
}

} // namespace
