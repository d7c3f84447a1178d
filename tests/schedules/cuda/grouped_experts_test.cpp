// SPDX-License-Identifier: Apache-2.0
// The form of the grouped ops for tiles of few slots: which specs have it, where it tests that a tile is
// used, what it loads, what ptxas makes of points of its space.
#include "dsl/ptx/cuda_kernel.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>
#include <regex>

namespace ks {
namespace {

struct Slots {
    const char *op, *io, *weight;
    int64_t B, K, columns;
    const char *choice; // halves, or out
};

class GroupedFewSlots : public testing::TestWithParam<Slots> {
  protected:
    Spec spec() const {
        const Slots &p = GetParam();
        bool up = p.op == std::string("grouped_expert_up");
        Spec s;
        s.choices = {{"io", p.io}, {"weight", p.weight}, {up ? "halves" : "out", p.choice}};
        if (up) s.choices["act"] = "silu";
        s.fixed = {{"B", p.B}, {"E", 8}, {"K", p.K}, {up ? "F" : "N", p.columns}};
        return s;
    }
    Space space() const { return op_.space(spec(), target_); }
    std::string text(const Knobs &knobs) const {
        Kernel kernel = op_.build(spec(), knobs, target_);
        return ptx::device_text(kernel, "kernel", ptx::ptx_of(lower_to_module(kernel, "kernel", target_)));
    }

    const Op &op_ = op_named(GetParam().op);
    Halide::Target target_ = kernel_target("cuda");
};

// A sample of the points of the form, the same every time.
std::vector<Knobs> of_form(const Space &space) {
    std::vector<Knobs> form, sample;
    for (const Knobs &k : space.all())
        if (k["form"] == "rows") form.push_back(k);
    for (size_t i = 0; i < 6; i++) sample.push_back(form.at(i * (form.size() - 1) / 5));
    return sample;
}

TEST_P(GroupedFewSlots, PointsOfTheSpaceAreKernels) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    for (const Knobs &k : of_form(space())) {
        SCOPED_TRACE(k.text());
        std::string made = text(k);
        for (const std::string &arch : ptx::build_for({}, *ptxas).archs)
            EXPECT_EQ(ptxas->assemble(made, {arch, 0}).kernels.size(), 1u) << arch;
    }
}

INSTANTIATE_TEST_SUITE_P(Specs, GroupedFewSlots,
                         testing::Values(Slots{"grouped_expert_up", "bf16", "bf16", 8, 1472, 3872, "2"},
                                         Slots{"grouped_expert_up", "f16", "f16", 1, 92, 124, "1"},
                                         Slots{"grouped_expert_up", "f32", "bf16", 3, 37, 41, "2"},
                                         Slots{"grouped_expert_down", "bf16", "bf16", 8, 3872, 1472, "bf16"},
                                         Slots{"grouped_expert_down", "bf16", "bf16", 17, 3872, 124, "f32"},
                                         Slots{"grouped_expert_down", "f32", "f32", 5, 37, 41, "f16"}));

class GroupedDecode : public GroupedFewSlots {};

TEST_P(GroupedDecode, IsTheDefaultAndLoadsAllOfAVectorAtOnce) {
    Knobs k = space().fallback();
    EXPECT_EQ(k["form"], "rows");
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    std::string made = text(k);
    const std::regex wide("ld\\.global\\.nc\\.L2::128B\\.(v4\\.[bf]32|v2\\.b64)");
    bool up = GetParam().K == 1472; // 2.9 rounds of 512 elements, with two products; else 7.6, with one
    EXPECT_EQ(std::distance(std::sregex_iterator(made.begin(), made.end(), wide), {}), up ? 3 * 5 : 8 * 3);
    ptx::Resources used = ptxas->assemble(made, {"sm_90", 0}).kernels.at(0);
    EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
    EXPECT_LE(used.registers, 64); // two blocks of 512 threads
}

// Nothing but the expert is loaded before the branch around all of the tile.
TEST_P(GroupedDecode, TilesNotUsedEndAtTheirFirstLoad) {
    std::string made = text(space().fallback());
    size_t load = made.find("ld.global"), branch = made.find("bra"), next = made.find("ld.global", load + 1);
    ASSERT_NE(next, std::string::npos);
    EXPECT_LT(load, branch);
    EXPECT_LT(branch, next);
    EXPECT_LT(branch, made.find("bar.sync"));
}

INSTANTIATE_TEST_SUITE_P(Specs, GroupedDecode,
                         testing::Values(Slots{"grouped_expert_up", "bf16", "bf16", 1, 1472, 3872, "2"},
                                         Slots{"grouped_expert_up", "f16", "f16", 8, 1472, 3872, "2"},
                                         Slots{"grouped_expert_up", "bf16", "bf16", 16, 1472, 3872, "2"},
                                         Slots{"grouped_expert_down", "bf16", "bf16", 1, 3872, 1472, "bf16"},
                                         Slots{"grouped_expert_down", "bf16", "bf16", 8, 3872, 1472, "f32"}));

} // namespace
} // namespace ks
