// SPDX-License-Identifier: Apache-2.0
// Contracts as data: look-up by name, shapes, and the Specs that they accept.
#include "dsl/contract.h"
#include "runtime/base/error.h"
#include <functional>
#include <gtest/gtest.h>

namespace ks {
namespace {

Contract sample() {
    Contract c;
    c.name = "sample";
    c.dims = {{"T", 1, 100, false, "steps"}, {"D", 2, 64, true, "channels"}, {"N", 1, 256, true, "states"}};
    c.operands = {{"u", Role::input, "io", {"T", "D"}, true, "input"},
                  {"offsets", Role::output, "i32", {"N+1"}, false, "output"}};
    c.choices = {{"io", {"f32", "bf16"}}, {"W", {"2", "4"}}};
    return c;
}

Spec sample_spec(const Dims &fixed = {}) { return {{{"io", "bf16"}, {"W", "4"}}, fixed}; }

// The error begins with `source` and names `culprit`.
void expect_refused(const std::string &source, const std::string &culprit,
                    const std::function<void()> &action) {
    try {
        action();
        ADD_FAILURE() << "expected an error about " << culprit;
    } catch (const Error &e) {
        std::string what = e.what();
        EXPECT_EQ(what.rfind(source, 0), 0u) << what;
        EXPECT_NE(what.find(culprit), std::string::npos) << what;
    }
}

TEST(Contract, FindsItsPartsByName) {
    Contract c = sample();
    EXPECT_EQ(c.dim("D").high, 64);
    EXPECT_EQ(&c.operand("offsets"), &c.operands[1]);
    expect_refused("sample", "K", [&] { c.dim("K"); });
    expect_refused("sample", "v", [&] { c.operand("v"); });
    expect_refused("sample", "D", [&] { c.operand("D"); }); // a dimension is no operand
}

TEST(Contract, ShapeTermsMayAddAndSubtract) {
    for (const auto &[entry, name, plus] :
         {std::make_tuple("D", "D", 0), {"E+1", "E", 1}, {"W-1", "W", -1}, {"panel+12", "panel", 12}}) {
        EXPECT_EQ(shape_term(entry).name, name);
        EXPECT_EQ(shape_term(entry).plus, plus) << entry;
    }
}

TEST(Contract, AcceptsLegalSpecs) {
    Contract c = sample();
    for (const Dims &fixed : {Dims{}, {{"D", 2}}, {{"D", 64}}, {{"N", 1}, {"D", 20}}, {{"N", 256}}})
        EXPECT_NO_THROW(check(c, sample_spec(fixed))) << sample_spec(fixed).text();
}

TEST(Contract, NamesWhatItRefuses) {
    Contract c = sample();
    auto refuses = [&](const Spec &spec, const std::string &culprit) {
        expect_refused("sample", culprit, [&] { check(c, spec); });
    };
    for (const auto &[name, value] : {std::make_pair("D", 1), {"D", 65}, {"N", 0}, {"N", -1}, {"N", 257}})
        refuses(sample_spec({{name, value}}), std::string(name) + "=" + std::to_string(value));
    refuses(sample_spec({{"T", 8}}), "T varies per call");
    refuses(sample_spec({{"K", 8}}), "K");
    refuses({{{"io", "f16"}, {"W", "4"}}, {}}, "io=f16");
    refuses({{{"io", "f32"}, {"W", "3"}}, {}}, "W=3");
    refuses({{{"io", "f32"}, {"W", "4"}, {"mode", "x"}}, {}}, "mode");
    expect_refused("kernel", "io is missing", [&] { check(c, {{{"W", "4"}}, {}}); });
}

TEST(Spec, TextIsCanonical) {
    EXPECT_EQ(Spec().text(), "");
    EXPECT_EQ(sample_spec().text(), "W=4,io=bf16");
    EXPECT_EQ(sample_spec({{"N", 16}, {"D", 20}}).text(), "W=4,io=bf16,D=20,N=16");
}

TEST(Spec, ChoicesAndBase) {
    Spec s = sample_spec();
    EXPECT_EQ(s.choice("io"), "bf16");
    expect_refused("kernel W=4,io=bf16", "rounding", [&] { s.choice("rounding"); });
    EXPECT_TRUE(s.is_base());
    s.fixed["N"] = 16;
    EXPECT_FALSE(s.is_base());
}

TEST(Spec, KnowsWidthsOrWhatDividesThem) {
    Spec usual = sample_spec({{"N", 16}}), wanted = sample_spec({{"N", 16}, {"D", 24}});
    usual.multiples["D"] = 8;
    EXPECT_FALSE(usual.is_base());
    EXPECT_EQ(usual.text(), "W=4,io=bf16,N=16,D%8");
    EXPECT_EQ(usual.divisor("N"), 16);
    EXPECT_EQ(usual.divisor("D"), 8);
    EXPECT_EQ(usual.divisor("K"), 1);
    EXPECT_TRUE(usual.serves(wanted));
    EXPECT_TRUE(sample_spec().serves(wanted));
    wanted.fixed["D"] = 20;
    EXPECT_FALSE(usual.serves(wanted)) << "8 does not divide it";
    wanted.fixed["D"] = 24, wanted.fixed["N"] = 8;
    EXPECT_FALSE(usual.serves(wanted)) << "another width";
    wanted.fixed = {{"N", 16}};
    EXPECT_FALSE(usual.serves(wanted)) << "nothing is known of D";
    EXPECT_FALSE(Spec({{{"io", "f32"}, {"W", "4"}}, {{"N", 16}}}).serves(sample_spec({{"N", 16}})));
}

} // namespace
} // namespace ks
