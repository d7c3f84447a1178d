// SPDX-License-Identifier: Apache-2.0
// From a dispatch table to the kernels of a pack.
#include "autotune/kernel_of.h"
#include <algorithm>
#include <gtest/gtest.h>

namespace ks::tune {
namespace {

Tuned tuned(const std::string &isa) {
    Tuned t;
    t.op = "causal_conv1d", t.op_version = op_named(t.op).contract.version;
    t.choices = base_specs(op_named(t.op), kernel_target(isa)).at(0).choices;
    t.fixed = {{"D", 512}};
    t.isa = isa, t.compiler = "cc 1", t.date = "2026-01-02";
    return t;
}

Rule rule_of(const Tuned &t) {
    Rule r;
    r.op = t.op, r.op_version = t.op_version, r.choices = t.choices, r.fixed = t.fixed, r.isa = t.isa;
    r.where = {{"T", {1, 1}}};
    Knobs knobs = space_of(t.op, {t.choices, t.fixed}, t.isa).fallback();
    knobs.set("widths", "fixed");
    r.knobs = knobs.text();
    return r;
}

TEST(KernelOf, WhereTheDefaultWonTheBaseKernelRunsAsATunedOne) {
    Table table{"test cpu", {}, {tuned("avx2")}};
    std::vector<std::string> stale;
    auto kernels = tuned_kernels(table, {"avx2", "avx512"}, stale);
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].rank, pack::Rank::tuned);
    ASSERT_EQ(kernels[0].box.count("D"), 1u);
    EXPECT_EQ(kernels[0].box.at("D").low, 512);
    EXPECT_EQ(kernels[0].box.at("D").high, 512);
    auto base = pack::default_kernels({"avx2"});
    EXPECT_TRUE(std::any_of(base.begin(), base.end(), [&](auto &b) {
        return b.symbol() == kernels[0].symbol();
    })) << "nothing new is built for it";
}

// Base kernels are slow on a GPU: where widths were tuned, the default that knows them runs, or usual
// kernels.
TEST(KernelOf, OnAGpuTheDefaultOfTunedWidthsKnowsThem) {
    Tuned t = tuned("cuda");
    Table table{"Some GPU", {}, {t}};
    std::vector<std::string> stale;
    auto kernels = tuned_kernels(table, {"cuda"}, stale);
    ASSERT_EQ(kernels.size(), 1u);
    EXPECT_EQ(kernels[0].spec.fixed, t.fixed);
    EXPECT_EQ(kernels[0].device, "Some GPU");

    t.op = "selective_scan", t.op_version = op_named(t.op).contract.version;
    t.choices = {{"io", "bf16"}}, t.fixed = {{"D", 2944}, {"N", 16}};
    EXPECT_TRUE(tuned_kernels({"Some GPU", {}, {t}}, {"cuda"}, stale).empty()) << "usual kernels serve them";
}

// What runs where no rule applies is what candidates are measured against.
TEST(KernelOf, TheDefaultIsTheUsualKernelOfWidthsThatItServes) {
    auto fallback = [](const Dims &widths, const char *io) {
        Spec spec{{{"io", io}}, widths};
        return kernel_of(
                   {"selective_scan", spec, "cuda", space_of("selective_scan", spec, "cuda").fallback()})
            .spec;
    };
    for (const char *io : {"f32", "bf16", "f16"}) {
        Spec usual = fallback({{"D", 2944}, {"N", 16}}, io);
        EXPECT_EQ(usual.fixed, (Dims{{"N", 16}}));
        EXPECT_EQ(usual.multiples, (Dims{{"D", 8}}));
        EXPECT_EQ(usual.choices.at("io"), io);
        EXPECT_TRUE(fallback({{"D", 12}, {"N", 16}}, io).is_base());
        EXPECT_TRUE(fallback({{"D", 2944}, {"N", 8}}, io).is_base());
    }
    Spec spec{{{"io", "bf16"}}, {{"D", 2944}, {"N", 16}}};
    Knobs fixed = space_of("selective_scan", spec, "cuda").fallback();
    fixed.set("widths", "fixed");
    EXPECT_EQ(kernel_of({"selective_scan", spec, "cuda", fixed}).spec.fixed, spec.fixed);
}

TEST(KernelOf, RulesComeBeforeTheBaseKernelOfTheSameWidths) {
    Tuned t = tuned("avx2");
    Table table{"test cpu", {rule_of(t)}, {t}};
    std::vector<std::string> stale;
    auto kernels = tuned_kernels(table, {"avx2"}, stale);
    ASSERT_EQ(kernels.size(), 2u);
    EXPECT_EQ(kernels[0].box.count("T"), 1u);
    EXPECT_EQ(kernels[1].box.count("T"), 0u);
    EXPECT_NE(kernels[0].symbol(), kernels[1].symbol());
}

TEST(KernelOf, FindingsOfOtherTargetsAndVersionsAreLeftOut) {
    Tuned t = tuned("avx2");
    Table table{"test cpu", {rule_of(t)}, {t}};
    std::vector<std::string> stale;
    EXPECT_TRUE(tuned_kernels(table, {"avx512"}, stale).empty());
    EXPECT_TRUE(stale.empty());
    table.rules[0].op_version++, table.tuned[0].op_version++;
    EXPECT_TRUE(tuned_kernels(table, {"avx2"}, stale).empty());
    EXPECT_EQ(stale.size(), 1u);
}

} // namespace
} // namespace ks::tune
