// SPDX-License-Identifier: Apache-2.0
// The panel width that weights are packed in is one that the pack can run, whatever the widths.
#include "kingsnake/ops.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/kernels/choose.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <memory>

namespace ks {
namespace {

class Choose : public testing::TestWithParam<const char *> {
  protected:
    Choose() : library_(nullptr, ks_destroy) {}
    void SetUp() override {
        if (!cpu_has(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
        ks_create_args a{sizeof a, 1, GetParam(), 0};
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
            std::vector<float> x(20), w(static_cast<size_t>(panels * c.lanes) * 20),
                y(static_cast<size_t>(panels * c.lanes));
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
}

// A row for one K and P before the others, as a tuning run leaves it even when the base kernel won.
TEST_P(Choose, SaysWhichWidthsWereTuned) {
    auto chosen = [&](int64_t K, int64_t width) {
        return choose_panel(*library_, "linear", {{"weight", "f32"}}, K, width);
    };
    ASSERT_FALSE(chosen(19, 64).tuned);
    auto rows = std::find_if(library_->kernels.begin(), library_->kernels.end(), [](const auto &of_op) {
        return std::string(kernel_table.ops[of_op.front()->op].name) == "linear";
    });
    const OpInfo &op = kernel_table.ops[rows->front()->op];
    auto choice = [&](const KernelInfo *k, const std::string &name) {
        int i = 0;
        while (name != op.choices[i].name) i++;
        return k->choices[i];
    };
    auto base = std::find_if(rows->begin(), rows->end(), [&](const KernelInfo *k) {
        return k->base && choice(k, "panel") == chosen(19, 64).choice &&
               choice(k, "weight") == choice_index("linear", "weight", "f32");
    });
    ASSERT_NE(base, rows->end());
    KernelInfo tuned = **base;
    tuned.base = false;
    for (int d = 0; d < op.dim_count; d++) {
        if (std::string(op.dims[d].name) == "K") tuned.low[d] = tuned.high[d] = 19;
        if (std::string(op.dims[d].name) == "P") tuned.low[d] = tuned.high[d] = 64 / chosen(19, 64).lanes;
    }
    rows->insert(rows->begin(), &tuned);
    EXPECT_TRUE(chosen(19, 64).tuned);
    EXPECT_FALSE(chosen(18, 64).tuned);
    EXPECT_FALSE(chosen(19, 640).tuned);
}

INSTANTIATE_TEST_SUITE_P(X86, Choose, testing::Values("avx2", "avx512"));

} // namespace
} // namespace ks
