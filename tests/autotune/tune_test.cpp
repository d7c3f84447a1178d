// SPDX-License-Identifier: Apache-2.0
// Whole tuning runs on the fake device: planted faults are rejected, noise does not crown a loser, and a run
// that is killed again and again ends with the result of an undisturbed one, doing almost nothing twice.
#include "autotune/evaluation.h"
#include "autotune/tune.h"
#include "runtime/base/error.h"
#include "tests/autotune/fake_device.h"
#include <atomic>
#include <filesystem>
#include <gtest/gtest.h>
#include <set>
#include <sys/wait.h>
#include <thread>

using namespace ks::tune;

namespace {

struct Bench {
    std::string folder;
    Task task;
    Options options;
    WorkerBuilder builder;
    WorkerMeter meter;
    Store store;
    Progress quiet;

    Bench(const std::string &dir, const std::vector<std::string> &plans, int groups = 8)
        : folder(dir),
          builder(fake::argv("worker", dir + "/log"), "builder1"),
          meter(fake::argv("worker", dir + "/log"), 1.0, 20),
          store(dir + "/store.db") {
        task.op = "double";
        task.spec.choices = {{"io", "f32"}};
        task.isa = "fake";
        task.space = fake::space(plans, groups);
        task.versions = {1, "cc 1"};
        task.device = "fake device";
        task.shapes = {{{"T", 8}}, {{"T", 512}}};
        task.check_shapes = {{{"T", 1}}, {{"T", 257}}};
        options.artefacts = dir;
        options.build_seconds = 1;
    }
    Result run() { return tune(task, options, builder, meter, store, quiet); }
    Outcome outcome(const std::string &plan, const std::string &stage) {
        Evaluation e(task, options, builder, meter, store);
        ks::Knobs k(std::map<std::string, std::string>{{"group", "3"}, {"plan", plan}});
        std::string id = identity(e.candidate(k), task.versions);
        if (stage == "build") return e.build_outcome(k);
        Outcome last{State::running, "nothing recorded", 0};
        for (const char *subject : {"T=1", "T=8", "T=257", "T=512"})
            if (auto o = store.outcome(id, 1, stage, subject)) last = *o;
        return last;
    }
};

constexpr int killed_jobs = 2;

// The killable driver: a tuning run in the folder that the environment names.
bool become_tuner() {
    const char *dir = getenv("KS_FAKE_TUNER");
    if (!dir) return false;
    try {
        Bench b(dir, {"fine", "crash", "wrong_edge", "broken_build"}, 40);
        b.options.jobs = killed_jobs;
        b.run();
        _exit(0);
    } catch (const std::exception &e) {
        std::cerr << e.what() << std::endl;
        _exit(1);
    }
}

const bool child = fake::become_worker() || become_tuner();

std::string fresh_folder(const std::string &name) {
    auto dir = std::filesystem::path(testing::TempDir()) / (name + std::to_string(getpid()));
    std::filesystem::remove_all(dir);
    std::filesystem::create_directories(dir);
    return dir.string();
}

std::map<std::string, int> read_log(const std::string &folder) {
    std::map<std::string, int> lines;
    std::ifstream file(folder + "/log");
    for (std::string line; std::getline(file, line);) lines[line]++;
    return lines;
}

size_t artefacts_in(const std::string &folder, const std::string &ending) {
    size_t count = 0;
    for (const auto &entry : std::filesystem::directory_iterator(folder)) {
        std::string name = entry.path().filename();
        count += name.size() == 16 + ending.size() && name.compare(16, ending.size(), ending) == 0;
    }
    return count;
}

std::string id_of(const Bench &b, const std::string &group) {
    ks::Knobs k(std::map<std::string, std::string>{{"group", group}, {"plan", "fine"}});
    return identity({b.task.op, b.task.spec, b.task.isa, k}, b.task.versions);
}

const char *group_of(const Finalist &f) { return f.candidate.knobs["group"].c_str(); }

TEST(Tune, FindsTheBestPerShapeAndKeepsTheDefaultWhereItWins) {
    std::string dir = fresh_folder("ks_tune_plain");
    Bench b(dir, {"fine"});
    Result r = b.run();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.tried, 8u);
    EXPECT_EQ(r.failed, 0u);
    ASSERT_EQ(r.shapes.size(), 2u);
    EXPECT_STREQ(group_of(r.shapes[0].finalists[r.shapes[0].chosen]), "0"); // at T=8 any group is slower
    EXPECT_EQ(r.shapes[0].chosen, 0u);
    const Finalist &best = r.shapes[1].finalists[r.shapes[1].chosen];
    double truth = fake::true_seconds(best.candidate, b.task.shapes[1]);
    EXPECT_LE(truth, 1.03 * (8e-3 / 1.7 + 7e-4)); // group 7; 6 is 2.4 % slower, which noise may call a tie
    EXPECT_TRUE(best.ratio.faster());
    EXPECT_NEAR(best.ratio.value, truth / 8e-3, 0.02);
    EXPECT_LE(best.ratio.low, best.ratio.value);
    std::filesystem::remove_all(dir);
}

TEST(Tune, RejectsEveryPlantedFaultAndFinishesTheRest) {
    std::string dir = fresh_folder("ks_tune_faults");
    std::vector<std::string> plans = {"fine",         "hang",        "crash",      "garbage",
                                      "wrong_edge",   "overrun",     "underrun",   "no_file",
                                      "broken_build", "crash_build", "hang_build", "slow_crash"};
    Bench b(dir, plans);
    Result r = b.run();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.tried, 8 + plans.size() - 1);
    EXPECT_EQ(r.failed, plans.size() - 1);
    for (const ShapeResult &s : r.shapes)
        for (const Finalist &f : s.finalists) EXPECT_EQ(f.candidate.knobs["plan"], "fine");
    auto expect = [&](const char *plan, const char *stage, State state, const char *message) {
        Outcome o = b.outcome(plan, stage);
        EXPECT_STREQ(state_name(o.state), state_name(state)) << plan;
        EXPECT_NE(o.message.find(message), std::string::npos) << plan << ": " << o.message;
    };
    expect("hang", "check", State::timeout, "no answer within 1 s");
    expect("crash", "check", State::crash, "signal 11");
    expect("garbage", "check", State::garbage, "one JSON object");
    expect("wrong_edge", "check", State::wrong, "wrong at T=257");
    expect("overrun", "check", State::wrong, "behind the buffer");
    expect("underrun", "check", State::wrong, "before the buffer");
    expect("no_file", "build", State::failed, "no artefact");
    expect("broken_build", "build", State::failed, "schedule refused");
    expect("crash_build", "build", State::crash, "signal 11");
    expect("hang_build", "build", State::timeout, "no answer");
    expect("slow_crash", "time", State::crash, "signal 11");
    std::filesystem::remove_all(dir);
}

TEST(Tune, ASecondRunDoesNothingAgain) {
    std::string dir = fresh_folder("ks_tune_again");
    size_t chosen = 0;
    {
        Bench b(dir, {"fine", "crash"});
        chosen = b.run().shapes[1].chosen;
    }
    auto before = read_log(dir);
    Bench b(dir, {"fine", "crash"});
    Result r = b.run();
    EXPECT_EQ(r.resumed, 8u); // nine candidates, the default not counted
    EXPECT_EQ(r.shapes[1].chosen, chosen);
    EXPECT_EQ(read_log(dir), before);
    std::filesystem::remove_all(dir);
}

TEST(Tune, OtherCompilerOrDeviceMeasuresAnew) {
    std::string dir = fresh_folder("ks_tune_other");
    Bench b(dir, {"fine"});
    b.run();
    b.task.device = "another device";
    EXPECT_EQ(b.run().resumed, 0u);
    EXPECT_EQ(read_log(dir)["build group=2,plan=fine"], 1); // the code is the same
    EXPECT_EQ(read_log(dir)["check group=2,plan=fine T=257"], 2);
    b.task.versions.compiler = "cc 2";
    EXPECT_EQ(b.run().resumed, 0u);
    EXPECT_EQ(read_log(dir)["build group=2,plan=fine"], 2);
    std::filesystem::remove_all(dir);
}

TEST(Tune, AnotherBuilderBuildsAnewAndTriesAgainWhatFailed) {
    std::string dir = fresh_folder("ks_tune_builder");
    Bench b(dir, {"fine", "broken_build"});
    b.run();
    WorkerBuilder second(fake::argv("worker", dir + "/log"), "builder2");
    auto again = [&] { return tune(b.task, b.options, second, b.meter, b.store, b.quiet); };
    EXPECT_EQ(again().failed, 1u);
    for (const char *knobs : {"group=0,plan=fine", "group=2,plan=fine", "group=3,plan=broken_build"})
        EXPECT_EQ(read_log(dir)[std::string("build ") + knobs], 2) << knobs;
    EXPECT_EQ(read_log(dir)["check group=2,plan=fine T=257"], 1) << "the code is the same";
    EXPECT_EQ(artefacts_in(dir, ".builder1.kernel.so"), 0u);
    EXPECT_EQ(artefacts_in(dir, ".builder2.kernel.so"), 8u);
    auto before = read_log(dir);
    again();
    EXPECT_EQ(read_log(dir), before);
    std::filesystem::remove_all(dir);
}

// A builder whose code of group 2 is another than that of the one behind it, and of group 4 none.
struct ChangedBuilder : Builder {
    Builder &real;
    explicit ChangedBuilder(Builder &builder) : real(builder) {}
    Outcome build(const Candidate &c, const std::string &path, double seconds) override {
        if (c.knobs["group"] == "4") return {State::failed, "schedule refused", 0};
        Outcome o = real.build(c, path, seconds);
        if (c.knobs["group"] == "2") std::ofstream(path, std::ios::app) << " in other words";
        return o;
    }
    std::string fingerprint() const override { return "builder2"; }
};

TEST(Tune, WhatWasMeasuredOfOtherCodeIsMeasuredAnew) {
    std::string dir = fresh_folder("ks_tune_code");
    Bench b(dir, {"fine"});
    b.run();
    auto counted = [&](const char *group) {
        return read_log(dir)[std::string("check group=") + group + ",plan=fine T=257"];
    };
    ChangedBuilder changed(b.builder);
    for (int run = 0; run < 2; run++) { // the second time there is nothing to do
        Result r = tune(b.task, b.options, changed, b.meter, b.store, b.quiet);
        EXPECT_EQ(r.failed, 1u);
        EXPECT_EQ(counted("2"), 2);
        EXPECT_EQ(counted("3"), 1) << "byte by byte the same";
        EXPECT_TRUE(b.store.search_seconds(id_of(b, "4"), 1, "T=8").empty()) << "there is no such code";
    }
    EXPECT_EQ(b.run().failed, 0u);
    EXPECT_EQ(counted("2"), 2) << "what is known of the old code is back";
    EXPECT_EQ(counted("4"), 1);
    EXPECT_EQ(b.store.search_seconds(id_of(b, "4"), 1, "T=8").size(), 3u);
    std::filesystem::remove_all(dir);
}

TEST(Tune, LittleTimeIsEnoughForWhatAnotherBuilderBuilt) {
    std::string dir = fresh_folder("ks_tune_builder_time");
    Bench b(dir, {"fine"});
    b.run();
    b.task.suggested.emplace_back(std::map<std::string, std::string>{{"group", "5"}, {"plan", "fine"}});
    b.options.seconds = 0.5, b.options.build_seconds = 10, b.options.jobs = 2;
    WorkerBuilder second(fake::argv("worker", dir + "/log"), "builder2");
    tune(b.task, b.options, second, b.meter, b.store, b.quiet);
    EXPECT_EQ(read_log(dir)["build group=5,plan=fine"], 2)
        << "only what this builder was cut off at is put off";
    std::filesystem::remove_all(dir);
}

TEST(Tune, RefusesADefaultThatDoesNotPass) {
    std::string dir = fresh_folder("ks_tune_default");
    Bench b(dir, {"fine"});
    b.task.space = {};
    b.task.space.knob("group", std::vector<int>{3}, 3, "");
    b.task.space.knob("plan", std::vector<std::string>{"wrong_edge", "fine"}, "wrong_edge", "");
    try {
        b.run();
        FAIL();
    } catch (const ks::Error &e) {
        EXPECT_NE(
            std::string(e.what()).find("the default schedule does not pass: check wrong: wrong at T=257"),
            std::string::npos)
            << e.what();
    }
    std::filesystem::remove_all(dir);
}

TEST(Tune, StopsAtTheBudget) {
    std::string dir = fresh_folder("ks_tune_budget");
    Bench b(dir, {"fine"});
    b.options.seconds = 0;
    Result none = b.run();
    EXPECT_EQ(none.tried, 1u); // the default always
    EXPECT_EQ(none.shapes[0].chosen, 0u);
    b.options.seconds = 600, b.options.candidates = 3;
    EXPECT_EQ(b.run().tried, 3u);
    std::filesystem::remove_all(dir);
}

TEST(Tune, AShapeOnceCheckedIsNotCheckedAgain) {
    std::string dir = fresh_folder("ks_tune_shapes");
    Bench b(dir, {"fine"});
    b.run();
    b.task.shapes.push_back({{"T", 64}});
    b.run();
    EXPECT_EQ(read_log(dir)["check group=2,plan=fine T=257"], 1);
    EXPECT_EQ(read_log(dir)["check group=2,plan=fine T=64"], 1);
    std::filesystem::remove_all(dir);
}

// A meter that knows when a build runs beside it.
struct QuietMeter : Meter {
    Meter &real;
    const std::atomic<int> &building;
    int disturbed = 0;
    QuietMeter(Meter &meter, const std::atomic<int> &builds) : real(meter), building(builds) {}
    Outcome check(const Built &b, const ks::Dims &shape) override { return real.check(b, shape); }
    Timing time(const std::vector<Built> &b, const ks::Dims &shape, int rounds) override {
        disturbed += building != 0;
        return real.time(b, shape, rounds);
    }
};

// A builder that notes how many run at once.
struct CountingBuilder : Builder {
    Builder &real;
    std::atomic<int> building{0}, most{0};
    explicit CountingBuilder(Builder &builder) : real(builder) {}
    Outcome build(const Candidate &c, const std::string &path, double seconds) override {
        int now = ++building;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20)); // long enough to meet the others
        Outcome o = real.build(c, path, seconds);
        building--;
        return o;
    }
    std::string fingerprint() const override { return real.fingerprint(); }
};

TEST(Tune, BuildsSeveralAtOnceAndMeasuresAlone) {
    std::string dir = fresh_folder("ks_tune_jobs");
    Bench b(dir, {"fine", "crash_build", "hang_build"});
    b.options.jobs = 3;
    CountingBuilder builder(b.builder);
    QuietMeter meter(b.meter, builder.building);
    Result r = tune(b.task, b.options, builder, meter, b.store, b.quiet);
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.tried, 10u);
    EXPECT_EQ(r.failed, 2u);
    EXPECT_EQ(builder.most, 3);
    EXPECT_EQ(meter.disturbed, 0);
    for (const auto &[line, count] : read_log(dir)) EXPECT_TRUE(line[0] != 'b' || count == 1) << line;
    std::filesystem::remove_all(dir);
}

TEST(Tune, ABuildThatTheBudgetCutsOffIsTakenUpAgain) {
    std::string dir = fresh_folder("ks_tune_cut");
    Bench b(dir, {"fine", "hang_build"}, 4);
    b.task.suggested.emplace_back(std::map<std::string, std::string>{{"group", "3"}, {"plan", "hang_build"}});
    b.options.seconds = 0.5, b.options.build_seconds = 10;
    auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(b.run().failed, 0u);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
    EXPECT_EQ(b.store.interrupted(), 1);
    b.options.jobs = 2;            // suggestions are built beside the default
    EXPECT_EQ(b.run().failed, 0u); // with no more time than before it is left alone
    EXPECT_EQ(read_log(dir)["build group=3,plan=hang_build"], 1);
    b.options.seconds = 600, b.options.build_seconds = 0.2;
    Result r = b.run();
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.failed, 1u);
    EXPECT_STREQ(state_name(b.outcome("hang_build", "build").state), "timeout");
    std::filesystem::remove_all(dir);
}

TEST(Tune, WhatIsSuggestedIsTriedFirst) {
    std::string dir = fresh_folder("ks_tune_suggested");
    Bench b(dir, {"fine"}, 40);
    std::vector<std::string> wanted = {"0", "31", "7", "22"};
    for (size_t i = 1; i < wanted.size(); i++)
        b.task.suggested.emplace_back(
            std::map<std::string, std::string>{{"group", wanted[i]}, {"plan", "fine"}});
    b.task.suggested.push_back(b.task.suggested[0]); // twice is once
    b.options.candidates = wanted.size();
    b.options.jobs = 2;
    EXPECT_EQ(b.run().tried, wanted.size());
    for (const std::string &group : wanted)
        EXPECT_EQ(read_log(dir)["check group=" + group + ",plan=fine T=1"], 1) << group;
    std::filesystem::remove_all(dir);
}

// kill -9 at random moments, until the run gets through.
TEST(Tune, KilledInALoopItLosesTheStepsInFlightOnly) {
    std::string dir = fresh_folder("ks_tune_kill");
    std::string program = "/proc/" + std::to_string(getpid()) + "/exe";
    std::mt19937 random(7);
    int kills = 0, status = -1;
    for (int life = 0; life < 300 && status != 0; life++) {
        pid_t pid = fork();
        if (pid == 0) {
            setenv("KS_FAKE_TUNER", dir.c_str(), 1);
            execl(program.c_str(), program.c_str(), nullptr);
            _exit(127);
        }
        auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(8 + random() % 50);
        while (waitpid(pid, &status, WNOHANG) == 0) {
            if (std::chrono::steady_clock::now() > end && life < 200)
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
    EXPECT_GE(kills, 8);
    int builds = 0, measured = 0, builds_once = 0, measured_once = 0;
    for (const auto &[line, count] : read_log(dir)) {
        (line[0] == 'b' ? builds : measured) += count;
        (line[0] == 'b' ? builds_once : measured_once)++;
    }
    EXPECT_EQ(builds_once, 43); // 40 groups and 3 faults
    EXPECT_LE(builds - builds_once, kills * killed_jobs);
    EXPECT_LE(measured - measured_once, kills);
    Bench b(dir, {"fine", "crash", "wrong_edge", "broken_build"}, 40);
    auto before = read_log(dir);
    Result r = b.run();
    EXPECT_EQ(read_log(dir), before);
    EXPECT_EQ(b.store.interrupted(), 0);
    EXPECT_STREQ(group_of(r.shapes[0].finalists[r.shapes[0].chosen]), "0");
    const Finalist &best = r.shapes[1].finalists[r.shapes[1].chosen]; // group 18 is, its neighbours nearly
    EXPECT_NEAR(best.candidate.knobs.integer("group"), 18, 5);
    std::filesystem::remove_all(dir);
}

} // namespace
