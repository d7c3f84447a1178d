// SPDX-License-Identifier: Apache-2.0
// Results of a kit on their way through the store to a dispatch table: of a real op, with times that the test
// makes.
#include "autotune/evaluation.h"
#include "autotune/import.h"
#include "autotune/recorded.h"
#include "autotune/tasks.h"
#include "runtime/base/error.h"
#include "schedules/registry.h"
#include "tests/autotune/kit/planted.h"
#include <cmath>
#include <random>

namespace ks::tune {
namespace {

const std::string device = "some other CPU";

// The default, two that are as fast as each other and faster than it, the first of them the simpler, and a
// loser.
class ImportTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = fresh_folder("ks_import");
        store.emplace((folder / "store.db").string());
        task = task_of("causal_conv1d", {{"D", "100"}, {"W", "4"}, {"io", "f32"}}, "avx2");
        task.device = device;
        kit.compiler = compiler_version("avx2");
        kit.contracts["causal_conv1d"] = op_named("causal_conv1d").contract;
        KitTask t{task.op, task.versions.op, task.spec, task.isa, task.shapes, task.check_shapes, {}, {}};
        for (const char *change : {"", "channels=64", "channels=64,widths=fixed", "channels=128"}) {
            Knobs k = task.space.fallback();
            const Knobs changed = parse_knobs(change);
            for (const auto &[name, value] : changed.values()) k.set(name, value);
            ASSERT_TRUE(task.space.legal(k)) << k.text();
            t.candidates.push_back({id_of(k), k, "objects/x.so", content_hash("code")});
        }
        Knobs twin = t.candidates[1].knobs;
        twin.set("rounding", twin["rounding"] == "round" ? "magic" : "round");
        t.twins.push_back({id_of(twin), twin, t.candidates[1].id});
        kit.tasks = {t};
        results.runs = {{kit.id(), "", {{"avx2", device}}, {}}};
        for (size_t i = 0; i < 4; i++)
            for (const Dims &d : all_shapes(t)) add_stage(i, "check", dims_text(d), State::ok);
        for (const Dims &d : task.shapes) {
            for (int r = 0; r < 3; r++) add_round(dims_text(d), "search", Caches::warm, r, {0, 1, 2, 3});
            for (int r = 0; r < 12; r++)
                for (Caches c : {Caches::warm, Caches::cold})
                    add_round(dims_text(d), "final", c, r, {0, 1, 2});
        }
        results.ended = true;
    }
    void TearDown() override { fs::remove_all(folder); }

    std::string id_of(const Knobs &k) const {
        return identity({task.op, task.spec, task.isa, k}, task.versions);
    }
    const std::string &id(size_t i) const { return kit.tasks[0].candidates[i].id; }
    void add_stage(size_t i, const std::string &stage, const std::string &shape, State state) {
        results.stages[{id(i), stage, shape}] = {
            id(i), stage, shape, {state, state == State::ok ? "" : "why", 1}, 0};
    }
    void add_round(const std::string &shape, const std::string &role, Caches caches, int number,
                   const std::vector<size_t> &in) {
        const double speed[] = {1, 0.8, 0.8, 1.5};
        RoundRecord r{0, shape, role, caches, number, 2, {}};
        for (size_t i : in)
            r.seconds[id(i)] = 1e-6 * speed[i] * (caches == Caches::cold ? 10 : 1) *
                               std::exp(std::normal_distribution<double>(0, 0.003)(random));
        results.rounds[r.key()] = r;
    }
    ImportSummary bring() { return import_results(results, "results.jsonl", kit, *store); }
    std::string refusal() {
        try {
            bring();
        } catch (const Error &e) {
            EXPECT_TRUE(store->environments().empty()) << "something was added";
            std::string what = e.what();
            EXPECT_EQ(what.rfind("results.jsonl: ", 0), 0u) << what;
            EXPECT_EQ(what.find('\n'), std::string::npos) << what;
            return what;
        }
        return "";
    }

    fs::path folder;
    std::optional<Store> store;
    Task task;
    Manifest kit;
    Results results;
    std::mt19937 random{3};
};

TEST_F(ImportTest, OfTiedWinnersTheSimplerGetsTheRule) {
    ImportSummary sum = bring();
    EXPECT_EQ(sum.devices, std::set<std::string>{device});
    EXPECT_EQ(sum.candidates, 4u);
    EXPECT_EQ(sum.lost, 0u);
    EXPECT_EQ(sum.batches, 6u); // search and final at three shapes
    auto recorded = recorded_results(*store, device);
    ASSERT_EQ(recorded.size(), 1u);
    ASSERT_EQ(recorded[0].result.shapes.size(), task.shapes.size());
    for (const ShapeResult &s : recorded[0].result.shapes) {
        ASSERT_EQ(s.finalists.size(), 3u);
        EXPECT_EQ(s.finalists[s.chosen].candidate.knobs, kit.tasks[0].candidates[1].knobs);
        EXPECT_NEAR(s.finalists[s.chosen].ratio.value, 0.8, 0.01);
        EXPECT_NEAR(s.finalists[0].seconds, 1e-6, 2e-8) << "warm, as in a model, decides";
    }
    Table table{device, {}, {}};
    put_recorded(table, recorded, "2026-01-02");
    ASSERT_EQ(table.rules.size(), 1u);
    EXPECT_EQ(table.rules[0].where_text(), "T=1..512");
    EXPECT_EQ(table.rules[0].knobs, kit.tasks[0].candidates[1].knobs.text());
    EXPECT_EQ(table.tuned.size(), 1u);
    put_recorded(table, recorded, "2026-01-02");
    EXPECT_EQ(table.rules.size(), 1u) << "put twice";
}

TEST_F(ImportTest, BroughtInAgainNothingIsAdded) {
    bring();
    ImportSummary again = bring();
    EXPECT_EQ(again.batches, 0u);
    EXPECT_EQ(again.known, 6u);
    results.rounds.begin()->second.seconds[id(0)] *= 1.001; // measured again
    EXPECT_EQ(bring().batches, 1u);
}

TEST_F(ImportTest, ATunerOrTheNextKitGoesOnFromIt) {
    add_stage(3, "time", "T=32", State::crash);
    bring();
    struct Nobody : Builder, Meter {
        Outcome build(const Candidate &, const std::string &path, double) override {
            std::ofstream(path) << "code";
            return {};
        }
        std::string fingerprint() const override { return "builder1"; }
        Outcome check(const Built &, const Dims &) override { return {}; }
        Timing time(const std::vector<Built> &, const Dims &, int) override { return {}; }
    } nobody;
    Options options;
    options.artefacts = folder.string();
    Evaluation e(task, options, nobody, nobody, *store);
    EXPECT_EQ(e.known().size(), 5u); // the twin too
    EXPECT_EQ(e.measured().size(), 5u);
    for (const Knobs &k : e.known()) EXPECT_FALSE(e.recorded(k)) << "nobody has built it here";
    e.build(e.known(), 60);
    auto trial = [&](const Knobs &k) {
        auto t = e.recorded(k);
        return t ? t->seconds : std::optional<double>(-1);
    };
    EXPECT_EQ(trial(kit.tasks[0].candidates[0].knobs), 1.0);
    EXPECT_NEAR(*trial(kit.tasks[0].candidates[1].knobs), 0.8, 0.01);
    EXPECT_EQ(trial(kit.tasks[0].twins[0].knobs), trial(kit.tasks[0].candidates[1].knobs));
    EXPECT_FALSE(trial(kit.tasks[0].candidates[3].knobs)) << "it failed";
}

TEST_F(ImportTest, ResultsOfCodeThatWasBuiltAnewDecideNothing) {
    store->environment({device, task.isa, kit.compiler, task.op, task.versions.op});
    auto finalists = [&] {
        return recorded_results(*store, device).at(0).result.shapes.at(0).finalists.size();
    };
    std::string twin = kit.tasks[0].twins[0].id;
    for (const Knobs &k : {kit.tasks[0].candidates[1].knobs, kit.tasks[0].twins[0].knobs})
        store->candidate({task.op, task.spec, task.isa, k}, task.versions);
    store->built(id(1), "other code"), store->built(twin, content_hash("code"));
    EXPECT_EQ(bring().other_code, 1u);
    EXPECT_TRUE(store->search_seconds(id(1), 1, "T=32").empty());
    EXPECT_FALSE(store->outcome(id(1), 1, "check", "T=32"));
    EXPECT_EQ(store->search_seconds(twin, 1, "T=32").size(), 3u) << "it has the kit's code";
    EXPECT_EQ(finalists(), 2u);
    EXPECT_EQ(bring().batches, 0u) << "brought in again";

    store->built(id(1), content_hash("code"));
    EXPECT_EQ(finalists(), 3u) << "it is the kit's code again";
    store->built(id(0), "other code");
    EXPECT_EQ(bring().batches, 0u) << "brought in again after the code changed";
    EXPECT_TRUE(recorded_results(*store, device).empty()) << "nothing can be compared with the default";
}

TEST_F(ImportTest, WithoutTheDefaultInItsFinalsThereIsNoRule) {
    for (auto &[key, round] : results.rounds)
        if (round.role == "final") round.seconds.erase(id(0));
    bring();
    EXPECT_TRUE(recorded_results(*store, device).empty());
}

TEST_F(ImportTest, ACandidateThatLeftTheRoundsIsOutOfTheirBatch) {
    results.rounds[{0, "T=32", "final", Caches::warm, 11}].seconds.erase(id(1));
    bring();
    auto recorded = recorded_results(*store, device);
    ASSERT_EQ(recorded.at(0).result.shapes.size(), 3u);
    EXPECT_EQ(recorded[0].result.shapes[0].finalists.size(), 3u);
    EXPECT_EQ(recorded[0].result.shapes[1].finalists.size(), 2u);
}

// Rounds of another day, on a device that is half as fast: each candidate is measured by its own default.
TEST_F(ImportTest, CandidatesOfOlderBatchesStayInTheRace) {
    bring();
    for (auto &[key, round] : results.rounds)
        if (round.role == "final") {
            round.seconds.erase(id(1)), round.seconds.erase(id(2));
            round.seconds[id(3)] = 0.9 * round.seconds.at(id(0));
            for (auto &[candidate, seconds] : round.seconds) seconds *= 2;
        }
    bring();
    for (const ShapeResult &s : recorded_results(*store, device).at(0).result.shapes) {
        ASSERT_EQ(s.finalists.size(), 4u);
        EXPECT_NEAR(s.finalists[0].seconds, 2e-6, 4e-8);
        EXPECT_NEAR(s.finalists[s.chosen].ratio.value, 0.8, 0.01);
        EXPECT_NEAR(s.finalists[s.chosen].seconds, 1.6e-6, 4e-8);
    }
}

TEST_F(ImportTest, RoundsWithASlowClockAreLeftOut) {
    for (int r : {2, 5}) {
        RoundRecord &slow = results.rounds[{0, "T=32", "final", Caches::warm, r}];
        slow.ghz = 1.4;
        for (auto &[candidate, seconds] : slow.seconds) seconds *= candidate == id(0) ? 1 : 10;
    }
    results.rounds[{0, "T=32", "final", Caches::warm, 7}].ghz = 1.6; // of 2: not so slow
    EXPECT_EQ(bring().slow_rounds, 2u);
    auto at = recorded_results(*store, device).at(0).result.shapes.at(1);
    EXPECT_NEAR(at.finalists.at(1).ratio.high, 0.8, 0.02);
    auto known = store->samples(1);
    EXPECT_EQ(std::count_if(
                  known.begin(), known.end(),
                  [&](auto &s) { return s.candidate == id(0) && s.shape == "T=32" && s.role == "final"; }),
              10);
}

TEST_F(ImportTest, RefusesWhatTheKitCannotHaveSaid) {
    Results whole = results;
    results.runs[0].kit = "another";
    EXPECT_NE(refusal().find("results of another kit (another)"), std::string::npos);
    results = whole;
    results.stages[{"zz", "check", "T=1"}] = {"zz", "check", "T=1", {}, 0};
    EXPECT_NE(refusal().find("candidate zz is not in the kit"), std::string::npos);
    results = whole;
    results.rounds.begin()->second.seconds["zz"] = 1;
    EXPECT_NE(refusal().find("candidate zz is not in the kit"), std::string::npos);
    results = whole;
    RoundRecord r{0, "T=3333", "search", Caches::warm, 0, 1, {{id(0), 1}}};
    results.rounds[r.key()] = r;
    EXPECT_NE(refusal().find("does not measure causal_conv1d W=4,io=f32,D=100 avx2 at T=3333"),
              std::string::npos);
    results = whole;
    r.task = 7;
    results.rounds[r.key()] = r;
    EXPECT_NE(refusal().find("the kit has no task 7"), std::string::npos);
    results = whole;
    results.runs.push_back({kit.id(), "", {{"avx2", "a second CPU"}}, {}});
    EXPECT_NE(refusal().find("several devices for avx2"), std::string::npos);
    results = whole;
    results.runs[0].devices.clear();
    EXPECT_NE(refusal().find("names no device for avx2"), std::string::npos);
    results = whole;
    kit.tasks[0].candidates[1].knobs.set("channels", "256"); // the id is that of another
    results.runs[0].kit = kit.id();
    EXPECT_NE(refusal().find("is not what it says"), std::string::npos);
}

TEST_F(ImportTest, DevicesAreFoundByPartOfTheirNames) {
    bring();
    results.runs[0].devices["avx2"] = "some third CPU";
    bring();
    store->environment({"never measured CPU", "avx2", "cc", "add", 1});
    EXPECT_EQ(device_like(*store, "third"), "some third CPU");
    EXPECT_EQ(devices_like(*store, "CPU").size(), 2u);
    EXPECT_EQ(device_like(*store, device), device);
    for (const char *part : {"some", "none like it"}) EXPECT_THROW(device_like(*store, part), Error);
}

TEST_F(ImportTest, FiguresTellWarmAndCold) {
    std::string text = figures(results, kit);
    EXPECT_NE(text.find("causal_conv1d W=4,io=f32,D=100 avx2 T=1: 1.00 us ±0."), std::string::npos) << text;
    EXPECT_NE(text.find(" % cold, by warm: default\n"), std::string::npos) << text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6); // two at each of three shapes
    EXPECT_EQ(text.find(kit.tasks[0].candidates[3].knobs.text()), std::string::npos) << "it was in no final";
    for (auto &[key, round] : results.rounds)
        if (round.caches == Caches::cold) round.seconds.clear();
    EXPECT_NE(figures(results, kit).find("warm, not measured cold"), std::string::npos);
}

} // namespace
} // namespace ks::tune
