// SPDX-License-Identifier: Apache-2.0
// bench/gpu/timing.py with a device that has planted times.
#include "tests/bench/gpu/python.h"

namespace ks::test {
namespace {

class Timing : public Python {
  protected:
    const std::string start_ = R"(
from bench.gpu.timing import Contender, captured, cold_sets, launches, race

class Planted:
    def __init__(self, seconds):
        self.seconds, self.turns, self.counts, self.warm = seconds, [], {}, {}
    def estimate(self, run):
        return self.seconds[run(0)]
    def capture(self, run, count):
        self.counts[run(0)] = count
        return run(0)
    def begin_round(self):
        self.turns.append([])
    def sample(self, graph, warm):
        self.turns[-1].append(graph)
        self.warm[graph] = warm
        return graph
    def finish_round(self, samples):
        return [(name, self.seconds[graph]) for name, graph in samples]

device = Planted({"a": 1e-3, "b": 1e-5})
contenders = [Contender("a", lambda i: "a"), Contender("b", lambda i: "b", sets=7, cold=True)]
times = race(contenders, {c.name: captured(c, device) for c in contenders}, device, 20)
)";
};

TEST_F(Timing, GivesEveryContenderOneSampleARound) {
    expect_prints(
        start_ + "print(times == {'a': [1e-3] * 20, 'b': [1e-5] * 20}, [sorted(t) for t in device.turns] == "
                 "[['a', 'b']] * 20)\n",
        "True True\n");
}

TEST_F(Timing, ShufflesTheOrderAnew) {
    expect_prints(
        start_ + "print(4 < device.turns.count(['a', 'b']) < 16, any(x == y for x, y in zip(device.turns, "
                 "device.turns[1:])))\n",
        "True True\n");
}

TEST_F(Timing, FillsAGraphWithWholeTurnsThroughTheCopies) {
    expect_prints(start_ + "print(device.counts, launches(1e-9, 7), launches(1, 450))\n",
                  "{'a': 2, 'b': 203} 1001 450\n");
}

TEST_F(Timing, WarmsUpOnlyWhatIsNotCold) {
    expect_prints(start_ + "print(sorted(device.warm.items()))\n", "[('a', True), ('b', False)]\n");
}

TEST_F(Timing, TakesAsManyCopiesAsPassTheCacheThreeTimes) {
    expect_prints(start_ + "print(cold_sets(10, 50), cold_sets(16, 50), cold_sets(1000, 50))\n", "15 10 1\n");
}

} // namespace
} // namespace ks::test
