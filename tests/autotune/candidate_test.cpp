// SPDX-License-Identifier: Apache-2.0
#include "autotune/candidate.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>
#include <set>

using namespace ks::tune;

namespace {

Candidate example() {
    return {"scan", {{{"io", "f32"}}, {{"N", 16}}}, "avx2", parse_knobs("group=8,vectors=1")};
}

TEST(Candidate, ReadsAsOneLineAndSurvivesJson) {
    EXPECT_EQ(example().text(), "scan io=f32,N=16 avx2 group=8,vectors=1");
    Candidate back = candidate_from_json(json::parse(to_json(example()).dump()));
    EXPECT_EQ(back.text(), example().text());
    json broken = to_json(example());
    broken["fixed"]["N"] = "many";
    EXPECT_THROW(candidate_from_json(broken), ks::Error);
    broken = to_json(example());
    broken.erase("isa");
    EXPECT_THROW(candidate_from_json(broken), ks::Error);
}

TEST(Candidate, EveryPartChangesTheIdentity) {
    Versions v{1, "cc 1"};
    std::set<std::string> ids = {identity(example(), v)};
    auto differs = [&](const Candidate &c, const Versions &w) {
        EXPECT_TRUE(ids.insert(identity(c, w)).second);
    };
    Candidate c = example();
    c.op = "conv", differs(c, v);
    c = example(), c.spec.fixed["N"] = 32, differs(c, v);
    c = example(), c.spec.choices["io"] = "bf16", differs(c, v);
    c = example(), c.isa = "avx512", differs(c, v);
    c = example(), c.knobs.set("group", "4"), differs(c, v);
    differs(example(), {2, "cc 1"});
    differs(example(), {1, "cc 2"});
    EXPECT_EQ(identity(example(), v), *ids.find(identity(example(), v)));
    EXPECT_EQ(identity({}, {}).size(), 16u);
}

TEST(Candidate, IdentityIsTheSameOnEveryMachine) {
    EXPECT_EQ(identity(example(), {1, "cc 1"}), "170c4675f702053b");
}

TEST(Candidate, ParsesListsStrictly) {
    EXPECT_EQ(parse_knobs("").text(), "");
    EXPECT_EQ(parse_knobs("b=2,a=1").text(), "a=1,b=2");
    EXPECT_EQ(dims_text(parse_dims("T=64,B=1")), "B=1,T=64");
    for (const char *bad : {"a", "=1", "a=", "a=1,", "a=1,,b=2", "a=1,a=2"})
        EXPECT_THROW(parse_knobs(bad), ks::Error) << bad;
    for (const char *bad : {"T=x", "T=1x", "T=99999999999999999999"})
        EXPECT_THROW(parse_dims(bad), ks::Error) << bad;
}

TEST(Candidate, DistanceCountsKnobsThatDiffer) {
    EXPECT_EQ(distance(parse_knobs("a=1,b=2"), parse_knobs("a=1,b=2")), 0);
    EXPECT_EQ(distance(parse_knobs("a=1,b=2"), parse_knobs("a=2,b=3")), 2);
    EXPECT_EQ(distance(parse_knobs("a=1"), parse_knobs("a=1,b=3")), 1);
}

} // namespace
