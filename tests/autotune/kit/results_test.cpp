// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/results.h"
#include "runtime/base/error.h"
#include "tests/autotune/kit/planted.h"

namespace ks::tune {
namespace {

class ResultsTest : public testing::Test {
  protected:
    void SetUp() override { path = (fresh_folder("ks_results") / "results.jsonl").string(); }
    void TearDown() override { fs::remove_all(fs::path(path).parent_path()); }

    void write_all() const {
        ResultsFile file(path);
        file.add(RunRecord{"k1", "2026-01-02T03:04:05Z", {{"avx2", "cpu"}}, {{"load", "0.1"}}});
        file.begin("a1");
        file.add(StageRecord{"a1", "check", "T=1", {State::ok, "", 0.5}, 0.25});
        for (int i = 0; i < 2; i++) file.begin("b2");
        file.add(StageRecord{"a2", "check", "T=1", {State::crash, "signal 11\nsaid \xff it", 0.5}, 0});
        file.add(RoundRecord{0, "T=64", "search", Caches::cold, 1, 2.5, {{"a1", 1e-6}}});
    }
    std::string refusal(const std::string &line) const {
        write_all();
        std::ofstream(path, std::ios::app) << line << "\n";
        try {
            read_results(path);
        } catch (const Error &e) {
            fs::remove(path);
            return e.what();
        }
        fs::remove(path);
        return "";
    }
    std::string path;
};

TEST_F(ResultsTest, ReadsWhatItWrites) {
    write_all();
    Results r = read_results(path);
    ASSERT_EQ(r.runs.size(), 1u);
    EXPECT_EQ(r.runs[0].kit, "k1");
    EXPECT_EQ(r.runs[0].devices.at("avx2"), "cpu");
    EXPECT_EQ(r.runs[0].environment.at("load"), "0.1");
    EXPECT_EQ(r.begun.at("a1"), 0); // a stage of it ended since
    EXPECT_EQ(r.begun.at("b2"), 2);
    ASSERT_TRUE(r.stage("a1", "check", "T=1"));
    EXPECT_EQ(r.stage("a1", "check", "T=1")->max_error, 0.25);
    EXPECT_EQ(r.stage("a2", "check", "T=1")->outcome.state, State::crash);
    EXPECT_FALSE(r.stage("a2", "check", "T=2"));
    ASSERT_EQ(r.rounds.size(), 1u);
    EXPECT_EQ(r.rounds.begin()->second.seconds.at("a1"), 1e-6);
    EXPECT_EQ(r.rounds.begin()->second.caches, Caches::cold);
    EXPECT_FALSE(r.ended);
}

TEST_F(ResultsTest, AnUnfinishedLineIsLeftOutAndCutOff) {
    write_all();
    size_t whole = fs::file_size(path);
    for (size_t lost : {1, 20, 100}) {
        fs::resize_file(path, whole - lost);
        EXPECT_TRUE(read_results(path).rounds.empty());
        ResultsFile(path).add(RoundRecord{0, "T=64", "search", Caches::cold, 1, 2.5, {{"a1", 1e-6}}});
        EXPECT_EQ(fs::file_size(path), whole);
        EXPECT_EQ(read_results(path).rounds.size(), 1u);
    }
    fs::resize_file(path, 3);
    EXPECT_TRUE(read_results(path).runs.empty());
    ResultsFile cut(path);
    EXPECT_EQ(fs::file_size(path), 0u);
}

TEST_F(ResultsTest, ABrokenLineIsNamed) {
    EXPECT_EQ(refusal("{\"record\":\"end\"}"), "");
    EXPECT_EQ(refusal("hello"), path + ":8: is not a JSON object");
    EXPECT_EQ(refusal("{\"record\":\"song\"}"), path + ":8: record song is none of a kit's");
    EXPECT_EQ(refusal("{\"record\":\"begin\"}"), path + ":8: the record has no \"candidate\"");
    EXPECT_EQ(refusal("{\"record\":\"end\",\"x\":1}"), path + ":8: the record has an unknown field \"x\"");
    std::string run =
        "{\"record\":\"run\",\"format\":7,\"kit\":\"\",\"at\":\"\",\"devices\":{},\"environment\":0}";
    EXPECT_EQ(refusal(run), path + ":8: has format 7, this program reads 1");
    std::string round =
        "{\"record\":\"round\",\"task\":0,\"shape\":\"T=1\",\"role\":\"final\",\"caches\":\"warm\","
        "\"round\":0,\"ghz\":1,\"seconds\":{\"a1\":";
    EXPECT_EQ(refusal(round + "1}}"), "");
    EXPECT_EQ(refusal(round + "0}}"), path + ":8: the time of a1 is not positive");
    std::ofstream(path) << "{\"record\":\"end\"}\n";
    EXPECT_THROW(read_results(path), Error) << "it does not begin with a run";
}

TEST_F(ResultsTest, HasOneWriterAtATime) {
    ResultsFile one(path);
    EXPECT_THROW(ResultsFile two(path), Error);
}

} // namespace
} // namespace ks::tune
