// SPDX-License-Identifier: Apache-2.0
// Whole models against logits of the transformers library (Mamba-1) and of a PyTorch graph (BlackMamba), in f32.
#include "runtime/model/model.h"
#include "tests/support/golden.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks::model {
namespace {

struct Case {
    const char *folder, *golden;
};

class GoldenLogits : public testing::TestWithParam<Case> {};

void expect_close(const float *logits, const float *wanted, int n, const std::string &where) {
    for (int v = 0; v < n; v++)
        ASSERT_NEAR(logits[v], wanted[v], 3e-4 + 1e-4 * std::abs(wanted[v])) << where << ", id " << v;
}

TEST_P(GoldenLogits, WholeSequence) {
    LoadOptions options;
    options.threads = 1;
    Model model(test::golden_path(GetParam().folder), options);
    for (const auto &c : test::read_golden(test::golden_path(GetParam().golden))) {
        State state(model.config(), 1);
        int length = static_cast<int>(c.tokens.size());
        const float *logits = model.forward(state, {0, 1, c.tokens.data(), &length}, Logits::all);
        for (int t = 0; t < length; t++)
            expect_close(logits + t * model.logits_stride(), c.logits.data() + t * c.vocab, c.vocab,
                         "length " + std::to_string(length) + ", position " + std::to_string(t));
    }
}

TEST_P(GoldenLogits, TokenByToken) {
    LoadOptions options;
    options.threads = 1;
    Model model(test::golden_path(GetParam().folder), options);
    for (const auto &c : test::read_golden(test::golden_path(GetParam().golden))) {
        State state(model.config(), 1);
        int one = 1;
        for (size_t t = 0; t < c.tokens.size(); t++)
            expect_close(model.forward(state, {0, 1, &c.tokens[t], &one}, Logits::last),
                         c.logits.data() + t * static_cast<size_t>(c.vocab), c.vocab,
                         "step " + std::to_string(t) + " of " + std::to_string(c.tokens.size()));
    }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenLogits,
                         testing::Values(Case{"mamba_hf_tiny", "mamba_hf_tiny"}, Case{"mamba_hf_tiny2", "mamba_hf_tiny2"},
                                         Case{"mamba_native_tiny", "mamba_hf_tiny2"}, Case{"blackmamba_tiny", "blackmamba_tiny"}),
                         [](const auto &test) { return std::string(test.param.folder); });

} // namespace
} // namespace ks::model
