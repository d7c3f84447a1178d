// SPDX-License-Identifier: Apache-2.0
// bench/gpu/contest.py: from planted times to rows, and bench/gpu/report.py on them.
#include "tests/bench/gpu/python.h"
#include <algorithm>
#include <nlohmann/json.hpp>

namespace ks::test {
namespace {

using nlohmann::json;

class Contest : public Python {
  protected:
    const std::string start_ = R"(
import json
from bench.gpu import report
from bench.gpu.contest import OURS, Claim, Contest, Field, drop_wrong, measure, row_of
from bench.gpu.kingsnake import NoKernel
from bench.gpu.timing import Contender

class Value(float):
    def double(self): return self
    def norm(self): return Value(abs(self))
    def item(self): return float(self)
    def __sub__(self, other): return Value(float(self) - float(other))
    def __truediv__(self, other): return Value(float(self) / float(other))

def entered(names, work=(1, 1, 1), missing={}):
    return Field([Contender(n, None, work=w) for n, w in zip(names, work)], [], 0.1, dict(missing))

time = Claim('t', 'w', 's', ('fast', 'slow'), 2.0)
rate = Claim('r', 'w', 's', ('slow',), 0.5, unit='GB/s')
times = {OURS: [1e-6] * 11, 'fast': [2e-6] * 11, 'slow': [4e-6] * 11}
show = lambda row: print(json.dumps(row))
)";

    json row(const std::string &script) const {
        Said said = run(start_ + script);
        EXPECT_EQ(said.status, 0) << said.err;
        return json::parse(said.out);
    }
};

TEST_F(Contest, CountsTheFasterRival) {
    EXPECT_EQ(row("show(row_of(time, entered(times), times))\n"), json::parse(R"({
        "id": "t", "what": "w", "shape": "s", "ours": 1.0, "rival": "fast", "rival_value": 2.0, "unit": "us",
        "ratio": 2.0, "goal": 2.0, "met": true, "note": "slow 4 us", "interval": [2.0, 2.0]})"));
}

TEST_F(Contest, MissesAGoalBeyondTheInterval) {
    EXPECT_EQ(row("time.goal = 2.01\nshow(row_of(time, entered(times), times))\n")["met"], false);
}

TEST_F(Contest, MeetsAGoalThatTheIntervalReaches) {
    json found = row("times['fast'] = [2e-6, 2.2e-6, 1.8e-6] * 7\ntimes[OURS] = [1e-6] * 21\ntimes['slow'] = "
                     "[4e-6] * 21\n"
                     "time.goal = 2.1\nshow(row_of(time, entered(times), times))\n");
    EXPECT_EQ(found["ratio"], 2.0);
    EXPECT_GT(found["interval"][1], 2.1);
    EXPECT_EQ(found["met"], true);
}

TEST_F(Contest, ComparesRatesByTheWorkOfEach) {
    json found = row("show(row_of(rate, entered(times, (1000, 1, 8000)), times))\n");
    EXPECT_EQ(found["ours"], 1.0);
    EXPECT_EQ(found["rival_value"], 2.0);
    EXPECT_EQ(found["ratio"], 0.5);
    EXPECT_EQ(found["met"], true);
}

TEST_F(Contest, TellsARowThatOursLacks) {
    json found =
        row("del times[OURS]\nshow(row_of(time, entered(times, missing={OURS: 'no CUDA kernel yet: x', "
            "'other': 'y'}), times))\n");
    EXPECT_EQ(found["ours"], json());
    EXPECT_EQ(found["ratio"], json());
    EXPECT_EQ(found["met"], json());
    EXPECT_EQ(found["rival_value"], 2.0);
    EXPECT_EQ(found["note"], "kingsnake: no CUDA kernel yet: x; slow 4 us");
}

TEST_F(Contest, DropsWhoComputesSomethingElse) {
    expect_prints(
        start_ + R"(
field = Field([Contender(n, None, results=lambda v=v: [Value(v)]) for n, v in
               (('right', 10.5), ('wrong', 12), ('nan', float('nan')))] + [Contender('copy', None)], [Value(10)], 0.1)
errors = drop_wrong(field)
print([c.name for c in field.contenders], errors)
print(field.failed)
)",
        "['right', 'copy'] {'right': ['5.0e-02'], 'wrong': ['2.0e-01'], 'nan': ['nan']}\n"
        "{'wrong': 'ArithmeticError: errors 2.0e-01, allowed 0.1', 'nan': 'ArithmeticError: errors nan, "
        "allowed 0.1'}\n");
}

TEST_F(Contest, DropsWhoGivesTooFewResultsOrStops) {
    expect_prints(start_ + R"(
def stops(): raise RuntimeError('no\nluck')
field = Field([Contender('few', None, results=lambda: []), Contender('stops', None, results=stops),
               Contender('right', None, results=lambda: [Value(1)])], [Value(1)], 0.1)
drop_wrong(field)
print([c.name for c in field.contenders], list(field.failed), field.failed['stops'])
)",
                  "['right'] ['few', 'stops'] RuntimeError: no luck\n");
}

TEST_F(Contest, RacesTheOthersWhenOneFails) {
    json found = row(R"(
class Device:
    def estimate(self, run): return run(0)
    def capture(self, run, count): return run(0)
    def begin_round(self): pass
    def sample(self, graph, warm): return graph
    def finish_round(self, samples): return samples
class Bench:
    device, rounds = Device(), 11
    def readings(self): return {'sm_mhz': 5}
    def release(self): pass
def broken(i): raise RuntimeError('cannot be captured')
one = lambda name, run: Contender(name, run, results=lambda: [Value(1)])
field = lambda bench: Field([one(OURS, lambda i: 1e-6), one('fast', broken), one('slow', lambda i: 3e-6)], [Value(1)],
                            0.1)
show(measure(Contest([time], field), Bench())[0])
)");
    EXPECT_EQ(found["rival"], "slow");
    EXPECT_EQ(found["ratio"], 3.0);
    EXPECT_EQ(found["note"], "fast: FAILED: RuntimeError: cannot be captured");
    EXPECT_EQ(found["failed"], json::array({"fast"}));
    EXPECT_EQ(found["seconds"].size(), 2u);
    EXPECT_EQ(found["seconds"]["slow"].size(), 11u);
}

TEST_F(Contest, WritesATable) {
    Said said =
        run(start_ + "rows = [row_of(time, entered(times), times)]\nrows[0]['after'] = {'sm_mhz': 1700}\n"
                     "del times[OURS]\nrows.append(row_of(rate, entered(times, missing={OURS: 'no CUDA "
                     "kernel yet'}), times))\n"
                     "print(report.as_markdown({'card': 'C', 'driver': 5}, rows))\n");
    EXPECT_NE(said.out.find("card: C; driver: 5; SM clock after the rows: 1700 to 1700 MHz.\n"),
              std::string::npos)
        << said.out << said.err;
    EXPECT_NE(said.out.find("| `t` | w | s | 1 us | fast 2 us | 2.00 (2.00 to 2.00) | 2 | met |\n"),
              std::string::npos)
        << said.out;
    EXPECT_NE(
        said.out.find("| `r` | w | s | - | slow 0.00025 GB/s | - | 0.5 | not measured: kingsnake: no CUDA "
                      "kernel yet |\n"),
        std::string::npos)
        << said.out;
}

TEST_F(Contest, WritesARowALine) {
    Said said =
        run(start_ + "row = row_of(time, entered(times), times)\nrow['seconds'] = {OURS: [1.23456789e-6]}\n"
                     "print(report.as_json({'card': 'C'}, [row, row]), end='')\n");
    json found = json::parse(said.out);
    EXPECT_EQ(found["machine"]["card"], "C");
    EXPECT_EQ(found["rows"][1]["seconds"]["kingsnake"], json::array({1.2346e-6}));
    EXPECT_EQ(std::count(said.out.begin(), said.out.end(), '\n'), 7) << said.out;
}

TEST_F(Contest, WritesAFileWholeOrNotAtAll) {
    expect_prints(start_ +
                      "import os\nreport.write_whole(scratch + '/a.json', 'all')\n"
                      "print(open(scratch + '/a.json').read(), [n for n in os.listdir(scratch) if n[0] == "
                      "'a'])\n",
                  "all ['a.json']\n");
}

TEST_F(Contest, NamesAFileByCardAndDate) {
    expect_prints(
        start_ +
            "import datetime\nwanted = scratch + f'/NVIDIA-H100-80GB-HBM3-{datetime.date.today()}.json'\n"
            "print(report.result_path(scratch, 'NVIDIA H100 80GB HBM3') == wanted, "
            "report.result_path('a.json', 'x'))\n",
        "True a.json\n");
}

} // namespace
} // namespace ks::test
