// SPDX-License-Identifier: Apache-2.0
// What goes into a kit, with a builder that writes what the test wants.
#include "autotune/bundle.h"
#include "generators/add.h"
#include "runtime/base/error.h"
#include "tests/autotune/kit/planted.h"
#include <mutex>
#include <sstream>

namespace ks::tune {
namespace {

Knobs point(int group, int twin = 0) {
    return Knobs(
        std::map<std::string, std::string>{{"group", std::to_string(group)}, {"twin", std::to_string(twin)}});
}

Task task_at(const std::string &isa = "avx2") {
    Task t;
    t.op = "add", t.spec = {{}, {{"H", 24}}}, t.isa = isa;
    t.space.knob("group", std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}, 0, "");
    t.space.knob("twin", std::vector<int>{0, 1}, 0, "the same code for both");
    t.versions = {add_contract().version, "cc 1"};
    t.device = "not measured yet";
    t.shapes = {{{"T", 64}}}, t.check_shapes = {{{"T", 7}}};
    return t;
}

class FakeBuilder : public Builder {
  public:
    Outcome build(const Candidate &c, const std::string &path, double) override {
        std::lock_guard lock(mutex_);
        built++;
        if (c.knobs["group"] == broken) return {State::crash, "the compiler fell over", 0};
        std::ofstream(path) << "code of group " << c.knobs["group"]
                            << (c.knobs["group"] == changed ? " anew" : "");
        return {};
    }
    std::string fingerprint() const override { return version; }
    int built = 0;
    std::string broken = "none", changed = "none", version = "builder1";

  private:
    std::mutex mutex_;
};

class BundleTest : public testing::Test {
  protected:
    void SetUp() override {
        folder = fresh_folder("ks_bundle");
        options.out = (folder / "kit").string();
        options.program = (folder / "ks_measure").string();
        options.build.artefacts = (folder / "artefacts").string();
        fs::create_directories(options.build.artefacts);
        std::ofstream(options.program) << "a program";
        fs::permissions(options.program, fs::perms::owner_exec, fs::perm_options::add);
        store.emplace((folder / "store.db").string());
    }
    void TearDown() override { fs::remove_all(folder); }
    Manifest make() {
        log.str("");
        return bundle({task_at()}, options, builder, *store, {{"add", add_contract()}}, log);
    }

    fs::path folder;
    BundleOptions options;
    FakeBuilder builder;
    std::optional<Store> store;
    std::ostringstream log;
};

TEST_F(BundleTest, WritesAWholeKit) {
    options.candidates = 16; // all there are
    Manifest m = make();
    EXPECT_EQ(load_manifest(options.out).text(), m.text());
    ASSERT_EQ(m.tasks.size(), 1u);
    const KitTask &t = m.tasks[0];
    EXPECT_EQ(t.candidates[0].knobs, point(0));
    EXPECT_EQ(t.candidates.size(), 8u); // every other is the twin of one
    EXPECT_EQ(t.twins.size(), 8u);
    for (const KitCandidate &c : t.candidates) {
        EXPECT_EQ(c.knobs["twin"], "0") << "the one nearer to the default stands for both";
        std::string bytes = file_contents(options.out + "/" + c.file);
        EXPECT_EQ(bytes, "code of group " + c.knobs["group"]);
        EXPECT_EQ(content_hash(bytes), c.code);
    }
    EXPECT_NE(log.str().find("8 candidates, 0 not built, 8 of the same machine code"), std::string::npos);
    EXPECT_EQ(file_contents(options.out + "/ks_measure"), "a program");
    EXPECT_NE(fs::status(options.out + "/ks_measure").permissions() & fs::perms::owner_exec, fs::perms::none);
    EXPECT_FALSE(fs::exists(options.out + ".draft"));
    EXPECT_THROW(make(), Error) << "the kit is there already";
}

TEST_F(BundleTest, BuildsNothingTwice) {
    make();
    int first = builder.built;
    options.out += "2";
    make();
    EXPECT_EQ(builder.built, first);
    fs::remove(fs::directory_iterator(options.build.artefacts)->path());
    options.out += "3";
    make();
    EXPECT_EQ(builder.built, first + 1);
}

TEST_F(BundleTest, AnotherBuilderBuildsAnewAndTriesAgainWhatFailed) {
    builder.broken = "3";
    options.candidates = 16;
    make();
    int first = builder.built;
    fs::path other = fs::path(options.build.artefacts) / "notes.txt";
    std::ofstream(other) << "not the tuner's";
    builder.version = "builder2", builder.broken = "none";
    options.out += "2";
    EXPECT_EQ(make().tasks[0].candidates.size(), 8u);
    EXPECT_EQ(builder.built, 2 * first);
    EXPECT_TRUE(fs::exists(other));
    for (const auto &entry : fs::directory_iterator(options.build.artefacts))
        EXPECT_EQ(entry.path().string().find("builder1"), std::string::npos) << entry.path();
}

// Groups 0 and 6 were measured, 6 as twice as fast.
TEST_F(BundleTest, GoesOnFromSamplesOfCodeThatItStillBuilds) {
    options.candidates = 16;
    make();
    Task t = task_at();
    int64_t key = store->environment({t.device, t.isa, t.versions.compiler, t.op, t.versions.op});
    for (int group : {0, 6}) {
        std::string id = identity({t.op, t.spec, t.isa, point(group)}, t.versions);
        for (const char *shape : {"T=7", "T=64"}) store->end(id, key, "check", shape, {});
        store->end(id, key, "time", "T=64", {});
        store->add({id}, key, "T=64", "search", {{group ? 1.0 : 2.0}});
    }
    options.candidates = 2;
    auto second = [&](const std::string &version) {
        builder.version = version;
        options.out += "2";
        const KitTask made = make().tasks[0];
        return made.candidates.size() == 2 ? made.candidates[1].knobs : made.twins.at(0).knobs;
    };
    const Knobs unknown = choose_candidates(t, {}, 2, options.seed)[1];
    ASSERT_FALSE(unknown == point(6));
    EXPECT_EQ(second("builder2"), point(6)) << "the same code by another builder";
    builder.changed = "6";
    EXPECT_FALSE(second("builder3") == point(6)) << "of its new code nothing is known";
}

TEST_F(BundleTest, WhatCannotBeBuiltIsLeftOut) {
    builder.broken = "3";
    options.candidates = 16;
    Manifest m = make();
    EXPECT_EQ(m.tasks[0].candidates.size(), 7u);
    EXPECT_NE(log.str().find("not built: group=3,twin=0: the compiler fell over"), std::string::npos)
        << log.str();
}

TEST_F(BundleTest, WithoutItsDefaultThereIsNoKit) {
    builder.broken = "0";
    EXPECT_THROW(make(), Error);
    EXPECT_FALSE(fs::exists(options.out));
    EXPECT_FALSE(fs::exists(options.out + ".draft"));
}

TEST_F(BundleTest, ATarFileUnpacksToAFolderOfItsName) {
    options.out = (folder / "mine.tar").string();
    Manifest m = make();
    ASSERT_EQ(std::system(("tar -xf " + options.out + " -C " + folder.string()).c_str()), 0);
    EXPECT_EQ(load_manifest((folder / "mine").string()).id(), m.id());
    EXPECT_TRUE(fs::exists(folder / "mine/ks_measure"));
}

TEST(ChooseCandidates, ASampleThatDependsOnTheSeedAlone) {
    auto chosen = choose_candidates(task_at(), {}, 6, 1);
    ASSERT_EQ(chosen.size(), 6u);
    EXPECT_EQ(chosen[0], point(0));
    EXPECT_EQ(chosen, choose_candidates(task_at(), {}, 6, 1));
    EXPECT_NE(chosen, choose_candidates(task_at(), {}, 6, 2));
    EXPECT_EQ(choose_candidates(task_at(), {}, 100, 1).size(), 16u) << "the whole space, each once";
    EXPECT_EQ(choose_candidates(task_at(), {}, 1, 1).size(), 1u);
}

TEST(ChooseCandidates, GoesOnFromWhatIsKnown) {
    std::vector<Trial> history = {{point(0), 1.0}, {point(6), 0.5}, {point(1), 0.9}, {point(2), {}}};
    Task task = task_at();
    task.suggested = {point(3)};
    auto chosen = choose_candidates(task, history, 8, 1);
    ASSERT_EQ(chosen.size(), 8u);
    EXPECT_EQ(chosen[1], point(6)) << "the best so far meets what is new";
    EXPECT_EQ(chosen[2], point(1));
    EXPECT_EQ(chosen[3], point(3));
    for (size_t i = 4; i < chosen.size(); i++) {
        for (const Trial &t : history) EXPECT_FALSE(chosen[i] == t.knobs) << chosen[i].text();
        for (size_t j = 0; j < i; j++) EXPECT_FALSE(chosen[i] == chosen[j]);
    }
}

} // namespace
} // namespace ks::tune
