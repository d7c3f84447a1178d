// SPDX-License-Identifier: Apache-2.0
// The program inside a kit, on kits with planted faults: each costs one candidate, never the run; a killed
// run goes on; and it needs nothing but the C library.
#include "autotune/kit/measure_kit.h"
#include "autotune/measure.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "tests/autotune/kit/planted.h"
#include "tests/autotune/kit/program.h"
#include <algorithm>
#include <chrono>
#include <csignal>
#include <random>
#include <sys/wait.h>
#include <thread>

namespace ks::tune {
namespace {

const std::string program = std::string(KS_BIN_DIR) + "/ks_measure";

class MeasureKit : public testing::Test {
  protected:
    void SetUp() override {
        if (!cpu_has("avx2")) GTEST_SKIP() << "this CPU runs none of the kit's candidates";
        folder = fresh_folder("ks_kit");
    }
    void TearDown() override { fs::remove_all(folder); }

    Ran measure(const std::string &more = "") const {
        return run_program(program + " " + (folder / "kit").string() + " --limit 1 " + more);
    }
    Results results() const { return read_results((folder / "kit/results.jsonl").string()); }
    // How the first stage that was not passed ended: "crash: killed by signal 11 ...".
    static std::string fate(const Results &r, const KitCandidate &c) {
        for (const char *stage : {"check", "time", "final"})
            for (const char *shape : {"T=1", "T=64", "T=7"})
                if (auto *s = r.stage(c.id, stage, shape); s && s->outcome.state != State::ok)
                    return std::string(stage) + " " + shape + " " + state_name(s->outcome.state) + ": " +
                           s->outcome.message;
        return "";
    }

    fs::path folder;
};

TEST_F(MeasureKit, EveryFaultCostsItsCandidateAlone) {
    std::vector<std::string> faults = {"right", "slow",       "wrong",     "parts",  "crash",
                                       "hang",  "late_crash", "late_hang", "right2", "right3"};
    Manifest kit = planted_kit(folder / "kit", {"right", "slow", "wrong", "parts", "crash", "hang",
                                                "late_crash", "late_hang", "right2", "right3"});
    std::ofstream(folder / "kit" / kit.tasks[0].candidates[8].file, std::ios::app) << "x"; // on the way here
    fs::remove(folder / "kit" / kit.tasks[0].candidates[9].file);
    auto begin = std::chrono::steady_clock::now();
    Ran ran = measure();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
    EXPECT_EQ(ran.status, 0) << ran.text;
    EXPECT_NE(ran.text.find("2 candidates of 1 tasks measured, 8 lost, 0 tasks skipped"), std::string::npos)
        << ran.text;
    Results r = results();
    auto expect = [&](size_t i, const std::string &what) {
        std::string found = fate(r, kit.tasks[0].candidates[i]);
        EXPECT_NE(found.find(what), std::string::npos) << faults[i] << ": " << found;
        EXPECT_EQ(found.empty(), what.empty()) << faults[i] << ": " << found;
    };
    expect(0, "");
    expect(1, "");
    expect(2, "check T=7 wrong: wrong at T=7: y[147] is ");
    expect(3, "cut as for two threads");
    expect(4, "check T=1 crash: killed by signal 11");
    expect(5, "check T=1 timeout: no answer within 1 s");
    expect(6, "time T=64 crash: killed by signal 11");
    expect(7, "time T=64 timeout: no answer within 1 s");
    expect(8, "is not what was bundled");
    expect(9, "cannot be read");
    EXPECT_TRUE(r.ended);
    EXPECT_EQ(r.runs.at(0).kit, kit.id());
    EXPECT_EQ(r.runs[0].devices.at("avx2"), cpu_name());
    EXPECT_TRUE(r.runs[0].environment.contains("load"));
}

TEST_F(MeasureKit, AllThatAreLeftTakePartInEveryRound) {
    Manifest kit = planted_kit(folder / "kit", {"right", "slow", "right2"});
    ASSERT_EQ(measure().status, 0);
    Results r = results();
    ASSERT_EQ(r.rounds.size(), 2u + 2 * 6); // search; warm and cold finals
    std::vector<double> right, slow;
    for (const auto &[key, round] : r.rounds) {
        EXPECT_EQ(round.seconds.size(), 3u);
        EXPECT_TRUE(round.ghz > 0.3 && round.ghz < 8) << round.ghz;
        if (round.caches == Caches::cold) continue;
        right.push_back(round.seconds.at(kit.tasks[0].candidates[0].id));
        slow.push_back(round.seconds.at(kit.tasks[0].candidates[1].id));
    }
    EXPECT_LT(median(right), median(slow));
}

TEST_F(MeasureKit, ASecondRunMeasuresNothing) {
    planted_kit(folder / "kit", {"right", "wrong"});
    ASSERT_EQ(measure().status, 0);
    std::string before = file_contents((folder / "kit/results.jsonl").string());
    Ran again = measure();
    EXPECT_NE(again.text.find("1 candidates of 1 tasks measured, 1 lost"), std::string::npos) << again.text;
    std::string after = file_contents((folder / "kit/results.jsonl").string());
    ASSERT_EQ(after.rfind(before, 0), 0u);
    std::string more = after.substr(before.size());
    EXPECT_EQ(std::count(more.begin(), more.end(), '\n'), 2) << more; // that it ran, and ended
}

// kill -9 at random moments, until a run gets through.
TEST_F(MeasureKit, KilledInALoopItGoesOn) {
    Manifest kit = planted_kit(folder / "kit", {"right", "slow", "late_crash", "right2"});
    std::mt19937 random(5);
    int kills = 0, status = -1;
    for (int life = 0; life < 200 && status != 0; life++) {
        pid_t pid = fork();
        if (pid == 0) {
            std::string where = (folder / "kit").string();
            if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout)) _exit(126);
            execl(program.c_str(), program.c_str(), where.c_str(), "--limit", "5", nullptr);
            _exit(127);
        }
        auto end =
            std::chrono::steady_clock::now() + std::chrono::milliseconds(20 + random() % 60 + 3 * life);
        while (waitpid(pid, &status, WNOHANG) == 0) {
            if (life < 100 && std::chrono::steady_clock::now() > end)
                kill(pid, SIGKILL); // at last undisturbed
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        if (WIFSIGNALED(status))
            kills++;
        else
            ASSERT_EQ(status, 0) << "after " << kills << " kills";
    }
    ASSERT_EQ(status, 0);
    RecordProperty("kills", kills);
    EXPECT_GE(kills, 3);
    Results r = results();
    EXPECT_TRUE(r.ended);
    EXPECT_EQ(r.runs.size(), static_cast<size_t>(kills) + 1);
    EXPECT_EQ(r.rounds.size(), 2u + 2 * 6);
    for (const auto &[key, round] : r.rounds)
        for (size_t i : {0, 1, 3}) EXPECT_TRUE(round.seconds.count(kit.tasks[0].candidates[i].id));
    EXPECT_NE(fate(r, kit.tasks[0].candidates[2]).find("crash"), std::string::npos);
}

TEST_F(MeasureKit, ACandidateThatEndsWholeRunsIsGivenUp) {
    Manifest kit = planted_kit(folder / "kit", {"right", "slow"});
    {
        ResultsFile file((folder / "kit/results.jsonl").string());
        file.add(RunRecord{kit.id(), "", {}, {}});
        for (int i = 0; i < 3; i++) file.begin(kit.tasks[0].candidates[1].id);
    }
    ASSERT_EQ(measure().status, 0);
    EXPECT_NE(fate(results(), kit.tasks[0].candidates[1]).find("crash: ended 3 runs"), std::string::npos);
    EXPECT_EQ(fate(results(), kit.tasks[0].candidates[0]), "");
}

TEST_F(MeasureKit, NothingIsComparedWithADefaultThatFails) {
    planted_kit(folder / "kit", {"wrong", "right"});
    Ran ran = measure();
    EXPECT_EQ(ran.status, 0) << ran.text;
    EXPECT_NE(ran.text.find("1 tasks skipped"), std::string::npos) << ran.text;
    EXPECT_TRUE(results().rounds.empty());
}

TEST_F(MeasureKit, ATaskThatCannotBePreparedIsSkipped) {
    Manifest kit = planted_kit(folder / "kit", {"right", "slow"});
    KitTask huge = kit.tasks[0];
    huge.shapes = {{{"T", int64_t{1} << 40}}}; // bytes that no machine has
    for (size_t i = 0; i < huge.candidates.size(); i++) huge.candidates[i].id = "huge" + std::to_string(i);
    kit.tasks.insert(kit.tasks.begin(), huge);
    std::ofstream(folder / "kit/manifest.json") << kit.text();
    Ran ran = measure();
    EXPECT_EQ(ran.status, 0) << ran.text;
    EXPECT_NE(ran.text.find("skipped: T=1099511627776: cannot be prepared: "), std::string::npos) << ran.text;
    EXPECT_NE(ran.text.find("2 candidates of 2 tasks measured, 0 lost, 1 tasks skipped"), std::string::npos)
        << ran.text;
}

TEST_F(MeasureKit, RefusesWhatDoesNotBelongTogether) {
    Manifest kit = planted_kit(folder / "kit", {"right"});
    auto refusal = [&](const RunRecord &run) {
        std::string out = (folder / "other.jsonl").string();
        fs::remove(out);
        ResultsFile(out).add(run);
        Ran ran = measure("--out " + out);
        EXPECT_EQ(ran.status, 1);
        EXPECT_EQ(std::count(ran.text.begin(), ran.text.end(), '\n'), 1) << ran.text;
        return ran.text;
    };
    EXPECT_NE(refusal({"k2", "", {}, {}}).find("results of another kit (k2)"), std::string::npos);
    EXPECT_NE(refusal({kit.id(), "", {{"avx2", "another CPU"}}, {}}).find("another device: another CPU"),
              std::string::npos);
    std::ofstream(folder / "kit/manifest.json") << "{\"format\": 1}\n";
    Ran ran = measure();
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.text.find("manifest.json: has format 1, this program reads 2"), std::string::npos)
        << ran.text;
    EXPECT_EQ(run_program(program).status, 2);
    EXPECT_EQ(run_program(program + " /no/such/folder").status, 2);
}

TEST_F(MeasureKit, AKitForOtherMachinesIsRefused) {
    Manifest kit = planted_kit(folder / "kit", {"right"});
    kit.tasks[0].isa = "sm_90a";
    std::ofstream(folder / "kit/manifest.json") << kit.text();
    Ran ran = measure();
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.text.find("has no candidate that this machine runs"), std::string::npos) << ran.text;
}

TEST(KitProgram, NeedsTheCLibraryAlone) {
    Ran ran = run_program("ldd " + program);
    ASSERT_EQ(ran.status, 0) << ran.text;
    std::stringstream lines(ran.text);
    for (std::string line; std::getline(lines, line);) {
        std::string name = line.substr(line.find_first_not_of("\t "));
        bool known = false;
        for (const char *allowed :
             {"linux-vdso", "libc.", "libm.", "libdl.", "libpthread.", "/lib64/ld-linux"})
            known |= name.rfind(allowed, 0) == 0;
        EXPECT_TRUE(known) << "it needs " << line;
    }
}

} // namespace
} // namespace ks::tune
