// SPDX-License-Identifier: Apache-2.0
#include "autotune/kit/contract_json.h"
#include "autotune/kit/manifest.h"
#include "schedules/registry.h"
#include <functional>
#include <gtest/gtest.h>

namespace ks::tune {
namespace {

Manifest small() {
    Manifest m;
    m.compiler = "cc 1";
    const Contract &c = op_named("linear").contract;
    m.contracts["linear"] = c;
    KitTask t{"linear",
              c.version,
              {{{"io", "f32"}, {"out", "f32"}, {"weight", "bf16"}, {"panel", "16"}}, {{"K", 8}, {"P", 2}}},
              "avx2",
              {},
              {},
              {},
              {}};
    t.shapes = {{{"M", 1}}, {{"M", 64}}}, t.check_shapes = {{{"M", 7}}, {{"M", 1}}};
    t.candidates = {{"a1", parse_knobs("rows=1"), "objects/a1.kernel.so", "c1"},
                    {"b2", parse_knobs("rows=2"), "objects/b2.kernel.so", "c2"}};
    t.twins = {{"d4", parse_knobs("rows=4"), "b2"}};
    m.tasks = {t};
    return m;
}

std::string refusal(const std::string &text) {
    try {
        parse_manifest(text, "kit/manifest.json");
    } catch (const Error &e) {
        std::string what = e.what();
        EXPECT_EQ(what.rfind("kit/manifest.json: ", 0), 0u) << what;
        EXPECT_EQ(what.find('\n'), std::string::npos) << what;
        return what;
    }
    return "";
}

std::string changed(const std::function<void(json &)> &change) {
    json all = json::parse(small().text());
    change(all);
    return refusal(all.dump());
}

TEST(Manifest, ReadsWhatItWrites) {
    Manifest m = parse_manifest(small().text(), "kit");
    EXPECT_EQ(m.text(), small().text());
    EXPECT_EQ(m.id(), small().id());
    ASSERT_EQ(m.tasks.size(), 1u);
    EXPECT_EQ(m.tasks[0].candidates[1].knobs["rows"], "2");
    EXPECT_EQ(m.tasks[0].twins[0].same_as, "b2");
    EXPECT_EQ(all_shapes(m.tasks[0]).size(), 3u); // M=1 is in both lists
    EXPECT_EQ(m.tasks[0].text(), "linear io=f32,out=f32,panel=16,weight=bf16,K=8,P=2 avx2");
}

TEST(Manifest, ItsIdentityIsThatOfItsContent) {
    Manifest other = small();
    other.tasks[0].candidates[1].code = "c3";
    EXPECT_NE(other.id(), small().id());
}

TEST(Manifest, RefusesWhatItIsNotSureOf) {
    EXPECT_NE(changed([](json &m) { m["format"] = 1; }).find("has format 1, this program reads 2"),
              std::string::npos);
    EXPECT_NE(changed([](json &m) { m.erase("format"); }).find("has no \"format\""), std::string::npos);
    EXPECT_NE(changed([](json &m) { m["speed"] = 1; }).find("unknown field \"speed\""), std::string::npos);
    EXPECT_NE(changed([](json &m) { m["search_rounds"] = 0; }).find("no rounds"), std::string::npos);
    EXPECT_NE(changed([](json &m) {
                  m["contracts"].clear();
                  m["contracts"] = json::object();
              }).find("no contract of linear"),
              std::string::npos);
    auto task = [](const std::function<void(json &)> &change) {
        return changed([&](json &m) { change(m["tasks"][0]); });
    };
    EXPECT_NE(task([](json &t) { t["op_version"] = 99; }).find("is for version 99 of the op"),
              std::string::npos);
    EXPECT_NE(task([](json &t) { t["choices"]["io"] = "f64"; }).find("not a legal choice"),
              std::string::npos);
    EXPECT_NE(task([](json &t) {
                  t["candidates"] = json::array();
                  t["twins"] = json::array();
              }).find("no candidate"),
              std::string::npos);
    EXPECT_NE(task([](json &t) {
                  t["candidates"][1]["id"] = "a1";
                  t["twins"] = json::array();
              }).find("is there twice"),
              std::string::npos);
    EXPECT_NE(task([](json &t) { t["candidates"][0]["file"] = "../../bin/sh"; }).find("outside of the kit"),
              std::string::npos);
    EXPECT_NE(task([](json &t) { t["candidates"][0]["file"] = "/bin/sh"; }).find("outside of the kit"),
              std::string::npos);
    EXPECT_NE(task([](json &t) { t["twins"][0]["same_as"] = "zz"; }).find("of no candidate"),
              std::string::npos);
    EXPECT_NE(refusal("[1]").find("not a JSON object"), std::string::npos);
    EXPECT_NE(refusal(small().text().substr(0, 500)).find("not a JSON object"), std::string::npos);
}

TEST(ContractJson, KeepsEveryFieldOfEveryOp) {
    for (const Op &op : all_ops()) {
        json object = contract_to_json(op.contract);
        Contract c = contract_from_json(object);
        EXPECT_EQ(contract_to_json(c), object);
        EXPECT_EQ(c.operands.size(), op.contract.operands.size());
        for (size_t i = 0; i < c.operands.size(); i++) {
            EXPECT_EQ(c.operands[i].role, op.contract.operands[i].role) << c.name;
            EXPECT_EQ(c.operands[i].stand_in, op.contract.operands[i].stand_in) << c.name;
            EXPECT_EQ(c.operands[i].flag, op.contract.operands[i].flag) << c.name;
        }
        EXPECT_EQ(c.granule, op.contract.granule);
        EXPECT_EQ(c.tolerance, op.contract.tolerance);
        object["operands"][0].erase("role");
        EXPECT_THROW(contract_from_json(object), Error);
    }
}

} // namespace
} // namespace ks::tune
