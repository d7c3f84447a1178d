// SPDX-License-Identifier: Apache-2.0
// Dispatch tables: strict and stable files, look-up, and the explanation of a decision.
#include "autotune/dispatch.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

using namespace ks::tune;

namespace {

Rule rule(int64_t low, int64_t high, const std::string &knobs) {
    Rule r;
    r.op = "scan", r.op_version = 1, r.choices = {{"io", "f32"}}, r.fixed = {{"N", 16}}, r.isa = "avx2";
    r.where = {{"B", {1, 1}}, {"T", {low, high}}};
    r.knobs = knobs, r.compiler = "cc 1", r.date = "2026-01-02";
    r.evidence = {{{{"B", 1}, {"T", high}}, 0.8, 0.79, 0.81, 2e-3},
                  {{{"B", 1}, {"T", low}}, 1.0 / 3, 0.3, 0.4, 1e-3}};
    if (low == high) r.evidence.erase(r.evidence.begin()); // one shape, one piece of evidence
    return r;
}

Rival rival(int64_t steps, double ratio, double low, double high, const std::string &knobs) {
    Rival r;
    r.shape = {{"B", 1}, {"T", steps}};
    r.ratio = ratio, r.low = low, r.high = high, r.seconds = 1e-3, r.knobs = knobs;
    return r;
}

Tuned tuned(int64_t states) {
    Tuned t;
    t.op = "scan", t.op_version = 1, t.choices = {{"io", "f32"}}, t.fixed = {{"N", states}}, t.isa = "avx2";
    t.rivals = {rival(512, 1.25, 1.2, 1.3, "group=4"), rival(1, 1.01, 0.99, 1.02, "group=2")};
    t.compiler = "cc 1", t.date = "2026-01-02";
    return t;
}

Table table() {
    return {"test cpu", {rule(64, 512, "group=8"), rule(1, 1, "group=2")}, {tuned(64), tuned(16)}};
}

class DispatchFile : public testing::Test {
  protected:
    std::string path =
        (std::filesystem::path(testing::TempDir()) / ("ks_table" + std::to_string(getpid()) + ".json"))
            .string();
    void TearDown() override { std::filesystem::remove(path); }
    std::string read() const {
        std::stringstream s;
        s << std::ifstream(path).rdbuf();
        return s.str();
    }
    void expect_error(const std::string &text, const std::string &cause) const {
        std::ofstream(path) << text;
        try {
            load_table(path);
            FAIL() << "accepted; expected: " << cause;
        } catch (const ks::Error &e) {
            EXPECT_EQ(std::string(e.what()).rfind(path + ": ", 0), 0u) << e.what();
            EXPECT_NE(std::string(e.what()).find(cause), std::string::npos) << e.what();
        }
    }
    void expect_error(const std::string &from, const std::string &to, const std::string &cause) const {
        std::string t = table_text(table());
        ASSERT_NE(t.find(from), std::string::npos);
        expect_error(t.replace(t.find(from), from.size(), to), cause);
    }
};

TEST_F(DispatchFile, IsSortedAndStable) {
    save_table(table(), path);
    std::string first = read();
    Table swapped = table();
    std::swap(swapped.rules[0], swapped.rules[1]);
    for (Rule &r : swapped.rules) std::reverse(r.evidence.begin(), r.evidence.end());
    std::swap(swapped.tuned[0], swapped.tuned[1]);
    for (Tuned &t : swapped.tuned) std::reverse(t.rivals.begin(), t.rivals.end());
    save_table(swapped, path);
    EXPECT_EQ(read(), first);
    save_table(load_table(path), path);
    EXPECT_EQ(read(), first);
    EXPECT_LT(first.find("\"T\": \"1..1\""), first.find("\"T\": \"64..512\""));
    EXPECT_NE(first.find("\"ratio\": 0.333333,"), std::string::npos);
    for (const auto &f : std::filesystem::directory_iterator(std::filesystem::path(path).parent_path()))
        EXPECT_EQ(f.path().string().find(path + "."), std::string::npos)
            << f.path(); // no temporary file stays
}

TEST_F(DispatchFile, RefusesWhatItDoesNotUnderstand) {
    expect_error("{", "is not JSON");
    expect_error("[]", "the table is not an object");
    expect_error("\"format\": 1", "\"format\": 2", "unknown format 2");
    expect_error("\"isa\": \"avx2\",", "", "rule 0 has no \"isa\"");
    expect_error("\"isa\": \"avx2\"", "\"isa\": 2", "\"isa\" of rule 0 is of the wrong type");
    expect_error("\"isa\": \"avx2\"", "\"isa\": \"avx2\", \"note\": \"x\"", "unknown field \"note\"");
    expect_error("\"1..1\"", "\"2..1\"", "2..1: is an empty interval");
    expect_error("\"1..1\"", "\"1-1\"", "is not an interval");
    expect_error("\"1..1\"", "\"1..1x\"", "is not an interval");
    expect_error("\"group=2\"", "\"group\"", "is not a list of name=value");
    expect_error("\"ratio\": 0.8", "\"ratio\": 1.2", "was slower than the default at B=1,T=512");
    expect_error("\"seconds\": 0.001", "\"seconds\": -1",
                 "\"seconds\" of evidence of rule 0 is not positive");
    expect_error("\"rivals\": [", "\"others\": [", "tuned kernel 0 has no \"rivals\"");
    expect_error("\"knobs\": \"group=4\",", "", "rival of tuned kernel 0 has no \"knobs\"");
    Table overlapping{"test cpu", {rule(64, 512, "group=8"), rule(512, 600, "group=2")}, {}};
    expect_error(table_text(overlapping), "rules 0 and 1 overlap");
    expect_error(table_text({"test cpu", {}, {tuned(16), tuned(16)}}), "tuned kernels 0 and 1 are the same");
    std::filesystem::remove(path);
    EXPECT_THROW(load_table(path), ks::Error);
    EXPECT_THROW(save_table(table(), "/no/such/folder/table.json"), ks::Error);
}

TEST_F(DispatchFile, TheEmptyTableThatABuildBeginsWithIsOne) {
    std::ofstream(path) << R"({"device": "not tuned yet", "format": 1, "rules": []})";
    EXPECT_EQ(table_text(load_table(path)), table_text({"not tuned yet", {}, {}}));
}

TEST(Dispatch, AppliesInsideAndNowhereElse) {
    Table t = table();
    auto knobs = [&](ks::Dims d, const char *isa = "avx2", const char *io = "f32") -> std::string {
        const Rule *r = t.find("scan", {{"io", io}}, isa, d);
        return r ? r->knobs : "default";
    };
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 64}}), "group=8");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 512}}), "group=8");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 1}}), "group=2");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 63}}), "default");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 513}}), "default");
    EXPECT_EQ(knobs({{"B", 2}, {"N", 16}, {"T", 64}}), "default");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 32}, {"T", 64}}), "default");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 64}}, "avx512"), "default");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 64}}, "avx2", "bf16"), "default");
    EXPECT_EQ(knobs({{"B", 1}, {"N", 16}, {"T", 64}, {"S", 1}}),
              "default");                               // a dimension the rule says nothing of
    EXPECT_EQ(knobs({{"B", 1}, {"T", 64}}), "default"); // a width it needs
}

TEST(Dispatch, ExplainsItself) {
    Table t = table();
    std::string in = t.why("scan", {{"io", "f32"}}, "avx2", {{"B", 1}, {"N", 16}, {"T", 100}});
    EXPECT_NE(in.find("yes  group=8 [B=1, T=64..512], measured 2026-01-02"), std::string::npos) << in;
    EXPECT_NE(in.find("no   group=2 [B=1, T=1]: is for T=1..1, not 100"), std::string::npos) << in;
    EXPECT_NE(in.find("B=1,T=512: 0.002 s, 0.800 of the default's time (0.790..0.810)"), std::string::npos)
        << in;
    EXPECT_NE(in.find("runs group=8"), std::string::npos) << in;
    std::string out = t.why("scan", {{"io", "f32"}}, "avx2", {{"B", 1}, {"N", 32}, {"T", 100}});
    EXPECT_NE(out.find("is for N=16, not 32"), std::string::npos) << out;
    EXPECT_NE(out.find("runs the default: it was never tuned for these widths"), std::string::npos) << out;
    EXPECT_NE(t.why("conv", {}, "avx2", {}).find("never tuned"), std::string::npos);
}

TEST(Dispatch, SaysByHowMuchTheDefaultWon) {
    Table t = table();
    std::string won = t.why("scan", {{"io", "f32"}}, "avx2", {{"B", 1}, {"N", 64}, {"T", 512}});
    EXPECT_NE(won.find("runs the default: tuned 2026-01-02"), std::string::npos) << won;
    EXPECT_NE(won.find("B=1,T=512: 1.250 of the default's time (1.200..1.300) with group=4"),
              std::string::npos)
        << won;
    EXPECT_NE(won.find("(0.990..1.020, a tie) with group=2"), std::string::npos) << won;
    std::string between = t.why("scan", {{"io", "f32"}}, "avx2", {{"B", 1}, {"N", 16}, {"T", 20}});
    EXPECT_NE(between.find("runs the default: tuned 2026-01-02"), std::string::npos) << between;
    std::string other = t.why("scan", {{"io", "f32"}}, "avx512", {{"B", 1}, {"N", 64}, {"T", 512}});
    EXPECT_NE(other.find("never tuned"), std::string::npos) << other;
}

TEST(Dispatch, WinnersAreWhatMostRulesName) {
    Table t{"test cpu", {rule(1, 1, "group=2"), rule(2, 2, "group=8"), rule(3, 3, "group=8")}, {}};
    t.rules.push_back(rule(4, 4, "group=5"));
    t.rules.back().isa = "avx512";
    t.rules.push_back(rule(4, 4, "group=6"));
    t.rules.back().op = "conv";
    std::vector<ks::Knobs> winners = t.winners("scan", {}, "avx2");
    ASSERT_EQ(winners.size(), 2u);
    EXPECT_EQ(winners[0].text(), "group=8");
    EXPECT_EQ(winners[1].text(), "group=2");
}

TEST(Dispatch, WinnersOfTheSameKernelComeFirst) {
    Table t{"test cpu", {rule(1, 1, "group=2"), rule(2, 2, "group=8"), rule(3, 3, "group=8")}, {}};
    t.rules[0].fixed["N"] = 48;
    std::vector<ks::Knobs> winners = t.winners("scan", {t.rules[0].choices, t.rules[0].fixed}, "avx2");
    ASSERT_EQ(winners.size(), 2u);
    EXPECT_EQ(winners[0].text(), "group=2");
    EXPECT_EQ(winners[1].text(), "group=8");
}

TEST(Dispatch, NewFindingsReplaceThoseOfTheSameKernelOnly) {
    Table t = table();
    Rule other = rule(1, 1, "group=4");
    other.isa = "avx512";
    t.rules.push_back(other);
    Tuned fresh = tuned(16);
    fresh.date = "2026-01-03";
    t.replace(fresh, {rule(2, 2, "group=16")});
    ASSERT_EQ(t.tuned.size(), 2u);
    EXPECT_EQ(t.tuned[0].fixed.at("N"), 64);
    EXPECT_EQ(t.tuned[1].date, "2026-01-03");
    ASSERT_EQ(t.rules.size(), 2u);
    EXPECT_EQ(t.rules[0].isa, "avx512");
    EXPECT_EQ(t.rules[1].knobs, "group=16");
}

} // namespace
