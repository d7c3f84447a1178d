// SPDX-License-Identifier: Apache-2.0
#include "bench/harness.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks::bench {
namespace {

TEST(Median, IsTheMiddleOrTheMeanOfTheTwoInTheMiddle) {
    EXPECT_EQ(median({3}), 3);
    EXPECT_EQ(median({9, 1, 4}), 4);
    EXPECT_EQ(median({1, 100, 3, 5}), 4);
    EXPECT_THROW(median({}), Error);
}

// A machine whose time passes only while variants run.
class RaceOnAFakeClock : public testing::Test {
  protected:
    // Every call of the variant takes the next of `seconds`; the last one stays.
    void add(const std::string &name, std::vector<double> seconds) {
        race_.add(name, [this, name, seconds, calls = size_t{0}](int tick) mutable {
            now_ += seconds[std::min(calls++, seconds.size() - 1)];
            order_ += name;
            ticks_.push_back(tick);
        });
    }

    double now_ = 0;
    std::string order_;
    std::vector<int> ticks_;
    Race race_{[this] { return now_; }};
};

TEST_F(RaceOnAFakeClock, EveryRoundBeginsWithAnotherVariant) {
    for (const char *name : {"a", "b", "c"}) add(name, {1});
    race_.measure(4, 0);
    EXPECT_EQ(order_, "aabbcc" // warm-up and one timed call each
                      "abc"
                      "bca"
                      "cab"
                      "abc");
    for (size_t i = 0; i < ticks_.size(); i++) EXPECT_EQ(ticks_[i], static_cast<int>(i));
}

TEST_F(RaceOnAFakeClock, ShortVariantsAreRepeatedAndTimedPerCall) {
    add("a", {0.25});
    add("b", {2});
    race_.measure(2, 1);
    EXPECT_EQ(order_, "aabb"
                      "aaaab"
                      "baaaa");
    EXPECT_EQ(race_["a"].seconds, (std::vector<double>{0.25, 0.25}));
    EXPECT_EQ(race_["b"].seconds, (std::vector<double>{2, 2}));
}

TEST_F(RaceOnAFakeClock, WarmUpCountsForNothing) {
    add("a", {1000, 1000, 1});
    race_.measure(3, 0);
    EXPECT_EQ(race_["a"].median(), 1);
}

// The machine was twenty times slower in the second round, and hit `b` alone in the third and the last.
TEST_F(RaceOnAFakeClock, SpeedIsTheMedianOfTheRoundsRatios) {
    add("a", {1, 1, /* rounds: */ 1, 20, 2, 1, 1});
    add("b", {1, 1, /* rounds: */ 3, 60, 40, 3, 5});
    race_.measure(5, 0);
    EXPECT_EQ(race_["a"].median(), 1);
    EXPECT_EQ(race_["b"].median(), 5);
    EXPECT_EQ(race_.speed("a", "b"), 3); // of 3, 3, 20, 3, 5; the medians' ratio is 5
    EXPECT_DOUBLE_EQ(race_.speed("b", "a"), 1. / 3);
}

TEST_F(RaceOnAFakeClock, FastestHasTheSmallestMedianOfThoseNamed) {
    add("a", {1, 1, 1, 9, 9});
    add("b", {3});
    add("c", {2});
    race_.measure(3, 0);
    EXPECT_EQ(race_.fastest({"a", "b"}).name, "b");
    EXPECT_EQ(race_.fastest({"a", "b", "c"}).name, "c");
}

TEST_F(RaceOnAFakeClock, UnknownVariantsAreErrors) {
    add("a", {1});
    race_.measure(3, 0);
    EXPECT_THROW(race_["b"], Error);
    EXPECT_THROW(race_.speed("a", "b"), Error);
}

} // namespace
} // namespace ks::bench
