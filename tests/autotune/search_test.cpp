// SPDX-License-Identifier: Apache-2.0
// The search is judged: from the worst legal point it comes within 95 % of the best point after a quarter of
// the space, in 20 of 20 seeds, on synthetic spaces and on every recorded one in data/.
#include "autotune/search.h"
#include "runtime/base/error.h"
#include "tests/autotune/synthetic_spaces.h"
#include <filesystem>
#include <gtest/gtest.h>

using namespace ks::tune;

namespace {

// One by one, and in batches as two build processes want them.
void judge(const KnownSpace &known) {
    size_t quarter = known.seconds.size() / 4;
    for (size_t batch : {1, 4}) {
        size_t most = 0;
        for (uint64_t seed = 0; seed < 20; seed++) {
            auto strategy = neighbourhood(known.space, seed, known.worst());
            size_t points = points_needed(known, *strategy, batch);
            EXPECT_LE(points, quarter) << known.name << ", seed " << seed << ", batches of " << batch;
            most = std::max(most, points);
        }
        std::string name = std::filesystem::path(known.name).stem().string();
        testing::Test::RecordProperty(name + "_most_points_by_" + std::to_string(batch),
                                      static_cast<int>(most));
    }
}

class Synthetic : public testing::TestWithParam<Shape> {};

TEST_P(Synthetic, WithinAQuarter) {
    KnownSpace known = synthetic(GetParam());
    ASSERT_GE(known.seconds.size(), 90u);
    judge(known);
}

INSTANTIATE_TEST_SUITE_P(Spaces, Synthetic, testing::ValuesIn(shapes()),
                         [](auto &i) { return std::string(i.param.name); });

TEST(Recorded, WithinAQuarter) {
    auto folder = std::filesystem::path(__FILE__).parent_path() / "data";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no folder data/";
    int files = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".jsonl") continue;
        judge(recorded(entry.path().string()));
        files++;
    }
    if (!files) GTEST_SKIP() << "no recorded spaces in data/";
}

TEST(Recorded, ReadsKnobsOrderAndFailures) {
    auto path = std::filesystem::path(testing::TempDir()) / "ks_recorded.jsonl";
    std::ofstream(path) << R"({"knobs": {"n": "2", "m": "b"}, "seconds": 2.0}
{"knobs": {"n": "10", "m": "b"}, "seconds": 1.0}
{"knobs": {"n": "2", "m": "a"}})"
                        << "\n";
    KnownSpace k = recorded(path.string());
    EXPECT_EQ(k.space.all().size(), 3u); // (10, a) was not measured
    EXPECT_EQ(k.space.fallback().text(), "m=b,n=2");
    EXPECT_EQ(k.space.knobs()[1].values, (std::vector<std::string>{"2", "10"}));
    EXPECT_EQ(k.best(), 1.0);
    EXPECT_EQ(k.worst().text(), "m=b,n=2");
    std::filesystem::remove(path);
}

TEST(Search, VisitsEveryPointOnceStartingAtTheStart) {
    KnownSpace known = synthetic(shapes()[5]);
    for (int which = 0; which < 3; which++) {
        auto strategy = which == 0   ? exhaustive(known.space)
                        : which == 1 ? random_order(known.space, 3)
                                     : neighbourhood(known.space, 3);
        std::vector<Trial> history;
        std::set<ks::Knobs> seen;
        while (auto k = strategy->next(history)) {
            EXPECT_TRUE(known.space.legal(*k));
            EXPECT_TRUE(seen.insert(*k).second) << k->text();
            history.push_back({*k, known.seconds.at(*k)});
            ASSERT_LE(history.size(), known.seconds.size());
        }
        EXPECT_EQ(history.size(), known.seconds.size());
        EXPECT_EQ(history[0].knobs, known.space.fallback());
    }
}

TEST(Search, PendingPointsAreNotProposedAgain) {
    KnownSpace known = synthetic(shapes()[5]);
    for (int which = 0; which < 3; which++) {
        auto strategy = which == 0   ? exhaustive(known.space)
                        : which == 1 ? random_order(known.space, 3)
                                     : neighbourhood(known.space, 3);
        std::vector<ks::Knobs> pending;
        std::set<ks::Knobs> seen;
        while (auto k = strategy->next({}, pending)) {
            EXPECT_TRUE(seen.insert(*k).second) << k->text();
            pending.push_back(*k);
        }
        EXPECT_EQ(pending.size(), known.seconds.size());
    }
}

TEST(Search, GoesOnAfterAResumeAsIfNothingHadHappened) {
    KnownSpace known = synthetic(shapes()[4]);
    std::vector<Trial> history;
    auto whole = neighbourhood(known.space, 5);
    for (int i = 0; i < 80; i++) {
        auto k = whole->next(history);
        auto resumed = neighbourhood(known.space, 5)->next(history);
        ASSERT_EQ(k, resumed) << i;
        history.push_back({*k, known.seconds.at(*k)});
    }
}

TEST(Search, WorksWhenAllPointsFail) {
    KnownSpace known = synthetic(shapes()[5]);
    auto strategy = neighbourhood(known.space, 1);
    std::vector<Trial> history;
    while (auto k = strategy->next(history)) history.push_back({*k, {}});
    EXPECT_EQ(history.size(), known.seconds.size());
}

TEST(Search, BearsTrialsOfAnotherSpace) {
    KnownSpace known = synthetic(shapes()[5]);
    std::vector<Trial> history = {{ks::Knobs(std::map<std::string, std::string>{{"old", "1"}}), 1.0}};
    auto strategy = neighbourhood(known.space, 1);
    for (int i = 0; i < 30; i++) {
        auto k = strategy->next(history);
        ASSERT_TRUE(k);
        history.push_back({*k, known.seconds.at(*k)});
    }
}

TEST(Search, SeedsDifferAndAnIllegalStartIsAnError) {
    KnownSpace known = synthetic(shapes()[0]);
    std::vector<Trial> history = {{known.space.fallback(), 1.0}};
    std::set<ks::Knobs> second;
    for (uint64_t seed = 0; seed < 10; seed++)
        second.insert(*neighbourhood(known.space, seed)->next(history));
    EXPECT_GT(second.size(), 3u);
    EXPECT_THROW(neighbourhood(known.space, 0, ks::Knobs()), ks::Error);
}

} // namespace
