// SPDX-License-Identifier: Apache-2.0
// The panel width that weights are packed in is one that the pack can run, whatever the widths.
#include "runtime/kernels/choose.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "kingsnake/ops.h"
#include <gtest/gtest.h>
#include <memory>

namespace ks {
namespace {

class Choose : public testing::TestWithParam<const char *> {
  protected:
    Choose() : library_(nullptr, ks_destroy) {}
    void SetUp() override {
        if (!cpu_has(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
        ks_create_args a{sizeof a, 1, GetParam()};
        ks_library *l = nullptr;
        ASSERT_EQ(ks_create(&a, &l), KS_OK) << ks_last_error();
        library_.reset(l);
    }
    std::unique_ptr<ks_library, void (*)(ks_library *)> library_;
};

TEST_P(Choose, ThePanelOfAWeightRuns) {
    for (int64_t width : {1, 20, 64, 1472})
        for (const char *weight : {"f32", "bf16", "f16"}) {
            PanelChoice c = choose_panel(*library_, "linear", {{"weight", weight}}, 20, width);
            EXPECT_EQ(c.choice, choice_index("linear", "panel", std::to_string(c.lanes)));
            int64_t panels = (width + c.lanes - 1) / c.lanes;
            std::vector<float> x(20), w(static_cast<size_t>(panels * c.lanes) * 20), y(static_cast<size_t>(panels * c.lanes));
            ks_linear_args a{};
            a.size = sizeof a;
            a.M = 1, a.K = 20, a.P = panels;
            a.panel = c.choice, a.weight = choice_index("linear", "weight", weight);
            a.x = x.data(), a.w = w.data(), a.y = y.data();
            EXPECT_EQ(ks_linear(library_.get(), &a), KS_OK) << ks_last_error();
        }
}

TEST_P(Choose, UnknownNamesAndWidthsAreErrors) {
    EXPECT_THROW(choose_panel(*library_, "no_such_op", {}, 20, 20), Error);
    EXPECT_THROW(choose_panel(*library_, "linear", {{"no_such_choice", "f32"}}, 20, 20), Error);
    EXPECT_THROW(choose_panel(*library_, "linear", {{"weight", "f64"}}, 20, 20), Error);
    EXPECT_THROW(choose_panel(*library_, "linear", {{"weight", "f32"}}, int64_t{1} << 40, 20), Error);
    EXPECT_THROW(choice_index("linear", "weight", "f64"), Error);
    EXPECT_THROW(has_tuned(*library_, "linear", {{"no_such_dim", 1}}), Error);
}

INSTANTIATE_TEST_SUITE_P(X86, Choose, testing::Values("avx2", "avx512"));

} // namespace
} // namespace ks
