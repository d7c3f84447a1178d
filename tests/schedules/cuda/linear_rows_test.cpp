// SPDX-License-Identifier: Apache-2.0
// The form of linear for few rows: which specs have it, what it loads, what ptxas makes of points of its
// space.
#include "dsl/ptx/cuda_kernel.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>
#include <regex>

namespace ks {
namespace {

struct Widths {
    const char *io, *weight, *out;
    int64_t K, P; // 0: any
};

class LinearOfFewRows : public testing::TestWithParam<Widths> {
  protected:
    Spec spec() const {
        Widths w = GetParam();
        Spec s;
        s.choices = {{"io", w.io}, {"weight", w.weight}, {"out", w.out}, {"panel", "1"}};
        if (w.K) s.fixed = {{"K", w.K}, {"P", w.P}};
        return s;
    }
    std::string text(const Knobs &knobs) const {
        Kernel kernel = op_.build(spec(), knobs, target_);
        return ptx::device_text(kernel, "kernel", ptx::ptx_of(lower_to_module(kernel, "kernel", target_)));
    }

    const Op &op_ = op_named("linear");
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

TEST_P(LinearOfFewRows, PointsOfTheSpaceAreKernels) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    for (const Knobs &k : of_form(op_.space(spec(), target_))) {
        SCOPED_TRACE(k.text());
        std::string made = text(k);
        for (const std::string &arch : ptx::build_for({}, *ptxas).archs)
            EXPECT_EQ(ptxas->assemble(made, {arch, 0}).kernels.size(), 1u) << arch;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Specs, LinearOfFewRows,
    testing::Values(Widths{"bf16", "bf16", "bf16", 1472, 5888}, Widths{"bf16", "bf16", "bf16", 2944, 124},
                    Widths{"f16", "f16", "f16", 92, 2944}, Widths{"bf16", "bf16", "f32", 2944, 1472},
                    Widths{"f32", "bf16", "f32", 1472, 5888}, Widths{"f32", "f32", "f32", 1472, 1472},
                    Widths{"f32", "f16", "f32", 37, 41}, Widths{"bf16", "bf16", "bf16", 0, 0},
                    Widths{"f32", "f32", "f32", 0, 0}));

using LinearInRows = LinearOfFewRows;

TEST_P(LinearInRows, DefaultsLoadAllOfAVectorAtOnce) {
    Knobs k = op_.space(spec(), target_).fallback();
    k.set("form", "rows");
    ASSERT_TRUE(op_.space(spec(), target_).legal(k));
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    std::string made = text(k);
    std::regex wide("ld\\.global\\.nc\\.L2::128B\\.(v4\\.[bf]32|v2\\.b64)");
    EXPECT_EQ(std::distance(std::sregex_iterator(made.begin(), made.end(), wide), {}),
              GetParam().K == 1472 ? 9 : 18);
    ptx::Resources used = ptxas->assemble(made, {"sm_90", 0}).kernels.at(0);
    EXPECT_EQ(used.stack + used.spill_stores + used.spill_loads, 0);
}

// Rounds of 512 elements: 2.9 and 5.75.
INSTANTIATE_TEST_SUITE_P(Specs, LinearInRows,
                         testing::Values(Widths{"bf16", "bf16", "bf16", 1472, 5888},
                                         Widths{"bf16", "bf16", "bf16", 2944, 1472},
                                         Widths{"f16", "f16", "f16", 2944, 124}));

} // namespace
} // namespace ks
