// SPDX-License-Identifier: Apache-2.0
// bench/gpu/interval.py on planted times.
#include "tests/bench/gpu/python.h"

namespace ks::test {
namespace {

class Interval : public Python {
  protected:
    const std::string start_ = "import random\nfrom bench.gpu.interval import interval, speed\n";
};

TEST_F(Interval, SpeedIsTheRivalsMedianOverOurs) {
    expect_prints(start_ + "print(speed([1, 2, 90], [6, 5, 1]), speed([1, 2, 90], [6, 5, 1], work=0.5))\n",
                  "2.5 1.25\n");
}

TEST_F(Interval, IsAPointWhereEveryRoundIsTheSame) {
    expect_prints(start_ + "print(interval([2] * 11, [3] * 11))\n", "(1.5, 1.5)\n");
}

TEST_F(Interval, HoldsATrueRatioIn95OfAHundredRuns) {
    expect_prints(start_ +
                      "draw = random.Random(7)\n"
                      "noisy = lambda mean: [mean * (1 + draw.gauss(0, 0.05)) for _ in range(41)]\n"
                      "found = [interval(noisy(1), noisy(2), resamples=400) for _ in range(200)]\n"
                      "held = sum(low <= 2 <= high for low, high in found)\n"
                      "print(180 <= held <= 199 or held, all(high - low < 0.2 for low, high in found))\n",
                  "True True\n");
}

TEST_F(Interval, DoesNotWidenForASlowPhaseThatHitsBoth) {
    expect_prints(start_ + "phase = [1, 3] * 20\nprint(interval(phase, [2 * p for p in phase]))\n",
                  "(2.0, 2.0)\n");
}

TEST_F(Interval, FollowsTheWorkOfBoth) {
    expect_prints(start_ + "print(interval([2] * 11, [3] * 11, work=0.5))\n", "(0.75, 0.75)\n");
}

TEST_F(Interval, RefusesSeriesThatAreNotOfTheSameRounds) {
    Said said = run(start_ + "interval([1, 2, 3], [1, 2, 3, 4])\n");
    EXPECT_NE(said.status, 0);
    EXPECT_NE(said.err.find("3 and 4 times: wanted the same number, at least 3"), std::string::npos)
        << said.err;
}

} // namespace
} // namespace ks::test
