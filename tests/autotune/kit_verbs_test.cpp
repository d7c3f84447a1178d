// SPDX-License-Identifier: Apache-2.0
// From ksc bundle over ks_measure and ksc import to a dispatch table, as a user goes, with real kernels.
#include "autotune/dispatch.h"
#include "autotune/kit/manifest.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "tests/autotune/kit/planted.h"
#include "tests/autotune/kit/program.h"
#include <set>

namespace ks::tune {
namespace {

class KitVerbs : public testing::Test {
  protected:
    void SetUp() override {
        if (!cpu_has("avx2")) GTEST_SKIP() << "this CPU runs none of the kit's candidates";
        folder = fresh_folder("ks_verbs");
    }
    void TearDown() override { fs::remove_all(folder); }
    Ran ksc(const std::string &arguments, const std::string &tuned = "tuned") const {
        return run_program(std::string(KS_BIN_DIR) + "/ksc --tuned " + (folder / tuned).string() + " " +
                           arguments);
    }
    std::string in(const std::string &name) const { return (folder / name).string(); }

    fs::path folder;
    const std::string what =
        " --op causal_conv1d --shape D=24,W=4,io=f32,T=7 --isa avx2 --candidates 4 -j 2 ";
};

TEST_F(KitVerbs, ABundledKitComesBackAsADispatchTable) {
    Ran ran = ksc("bundle" + what + "--out " + in("kit.tar"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    ASSERT_EQ(std::system(("tar -xf " + in("kit.tar") + " -C " + folder.string()).c_str()), 0);
    Manifest kit = load_manifest(in("kit"));
    EXPECT_EQ(kit.tasks.at(0).candidates.size() + kit.tasks[0].twins.size(), 4u);
    // On a machine that has nothing else: another folder, no environment.
    ran = run_program("cd / && env -i " + in("kit/ks_measure") + " " + in("kit"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    EXPECT_NE(ran.text.find(" 0 lost"), std::string::npos) << ran.text;
    ran = ksc("import " + in("kit/results.jsonl"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    EXPECT_NE(ran.text.find("T=7: "), std::string::npos) << ran.text;
    Table table = load_table(in("tuned/table.json"));
    EXPECT_EQ(table.device, cpu_name());
    ASSERT_EQ(table.tuned.size(), 1u);
    EXPECT_EQ(table.tuned[0].rivals.size(), 1u);
    ran = ksc("dispatch --table " + in("again.json"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    EXPECT_EQ(load_table(in("again.json")).rules.size(), table.rules.size());
    EXPECT_EQ(ksc("show").status, 0);

    // The next round: the best so far, and what was not in the first kit; measured by ksc itself.
    ran = ksc("bundle" + what + "--device '" + cpu_name() + "' --out " + in("second"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    Manifest second = load_manifest(in("second"));
    std::set<std::string> first, fresh;
    for (const KitCandidate &c : kit.tasks[0].candidates) first.insert(c.id);
    for (const KitTwin &t : kit.tasks[0].twins) first.insert(t.id);
    size_t again = 0;
    for (const KitCandidate &c : second.tasks.at(0).candidates)
        first.count(c.id) ? void(again++) : void(fresh.insert(c.id));
    for (const KitTwin &t : second.tasks[0].twins)
        first.count(t.id) ? void(again++) : void(fresh.insert(t.id));
    EXPECT_EQ(again, 2u) << "the default and the best";
    EXPECT_EQ(fresh.size(), 2u) << "candidates that were in no kit before";
    ran = ksc("measure " + in("second") + " --out " + in("second.jsonl"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    EXPECT_EQ(ksc("import " + in("second.jsonl")).status, 0);

    // Where the kit was not bundled its folder says what it is.
    ran = ksc("import " + in("second.jsonl"), "elsewhere");
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.text.find("was not bundled here (" + second.id() + ")"), std::string::npos) << ran.text;
    ran = ksc("import --kit " + in("kit") + " " + in("second.jsonl"), "elsewhere");
    EXPECT_NE(ran.text.find("results of another kit"), std::string::npos) << ran.text;
    EXPECT_EQ(ksc("import --kit " + in("second") + " " + in("second.jsonl"), "elsewhere").status, 0);
}

TEST_F(KitVerbs, AnotherBuildOfTheProgramBuildsTheSameCodeAnew) {
    for (const char *program : {"ksc", "ks_measure"})
        fs::copy_file(std::string(KS_BIN_DIR) + "/" + program, in(program));
    auto bundled = [&](const char *kit) {
        Ran ran = run_program(in("ksc") + " --tuned " + in("tuned") + " bundle" + what + "--out " + in(kit));
        EXPECT_EQ(ran.status, 0) << ran.text;
        std::map<std::string, std::string> files;
        for (const auto &entry : fs::directory_iterator(in("tuned/artefacts")))
            files[entry.path().filename()] = file_contents(entry.path());
        return files;
    };
    auto first = bundled("first");
    std::ofstream(in("ksc"), std::ios::app) << "changed";
    auto second = bundled("second");
    ASSERT_EQ(first.size(), 4u);
    ASSERT_EQ(second.size(), 4u);
    for (auto a = first.begin(), b = second.begin(); a != first.end(); ++a, ++b) {
        EXPECT_EQ(a->first.substr(0, 16), b->first.substr(0, 16));
        EXPECT_NE(a->first, b->first);
        EXPECT_EQ(a->second, b->second) << "or samples would be measured anew without need";
    }
}

TEST_F(KitVerbs, ShapesOfTheSameWidthsAreOneTask) {
    std::string op = " --op causal_conv1d --shape D=24,W=4,io=f32,T=";
    Ran ran = ksc("bundle" + op + "7" + op + "9" + op + "7 --isa avx2 --candidates 1 --out " + in("kit"));
    ASSERT_EQ(ran.status, 0) << ran.text;
    Manifest kit = load_manifest(in("kit"));
    ASSERT_EQ(kit.tasks.size(), 1u);
    EXPECT_EQ(kit.tasks[0].shapes, (std::vector<Dims>{{{"T", 7}}, {{"T", 9}}}));
}

TEST_F(KitVerbs, CommandLinesThatMakeNoSenseAreRefused) {
    EXPECT_EQ(ksc("bundle --out " + in("kit")).status, 2);
    EXPECT_EQ(ksc("bundle --op linear --shape K=8,P=2").status, 2);
    EXPECT_EQ(ksc("import " + in("missing.jsonl")).status, 2);
    EXPECT_EQ(ksc("bundle --op linear --op add --shape K=8,P=2 --out " + in("kit")).status, 1);
    Ran ran = ksc("bundle" + what + "--device Z80 --out " + in("kit"));
    EXPECT_EQ(ran.status, 1);
    EXPECT_NE(ran.text.find("device Z80"), std::string::npos) << ran.text;
    EXPECT_FALSE(fs::exists(in("kit")));
}

} // namespace
} // namespace ks::tune
