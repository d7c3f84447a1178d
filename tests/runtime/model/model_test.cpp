// SPDX-License-Identifier: Apache-2.0
// Whole models against logits of the transformers library (Mamba-1), of a PyTorch graph (BlackMamba) and of
// the shipped model's own reference, in f32.
#include "runtime/base/cpu.h"
#include "runtime/io/npz.h"
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
                         testing::Values(Case{"mamba_hf_tiny", "mamba_hf_tiny"},
                                         Case{"mamba_hf_tiny2", "mamba_hf_tiny2"},
                                         Case{"mamba_native_tiny", "mamba_hf_tiny2"},
                                         Case{"blackmamba_tiny", "blackmamba_tiny"}),
                         [](const auto &test) { return std::string(test.param.folder); });

TEST(ShippedModel, AgreesWithItsReference) {
    io::NpzReader golden(test::golden_path("shipped_logits.npz"));
    for (const std::string &isa : all_isas()) {
        if (!cpu_has(isa)) continue;
        LoadOptions options;
        options.threads = 2;
        options.isa = isa;
        Model model(KS_SOURCE_DIR "/models/kjv-8x11m", options);
        auto vocab = static_cast<size_t>(model.config().vocab);
        for (int k = 0; k < 5; k++) { // logits of the last positions, eight at most
            io::Array ids = golden.read("ids_" + std::to_string(k)),
                      logits = golden.read("logits_" + std::to_string(k));
            ASSERT_EQ(ids.dtype, DType::i32);
            ASSERT_EQ(logits.shape.at(1), model.config().vocab);
            auto length = static_cast<size_t>(ids.shape.at(0)),
                 rows = static_cast<size_t>(logits.shape.at(0));
            const auto *token = reinterpret_cast<const int *>(ids.data.data());
            const auto *wanted = reinterpret_cast<const float *>(logits.data.data());
            State state(model.config(), 1);
            size_t first = length - rows;
            if (first) model.prefill(state, 0, token, first);
            for (size_t r = 0; r < rows; r++) {
                int one = 1;
                const float *got = model.forward(state, {0, 1, token + first + r, &one}, Logits::last);
                expect_close(got, wanted + r * vocab, static_cast<int>(vocab),
                             std::string(isa) + ", list " + std::to_string(k) + ", row " + std::to_string(r));
            }
            state.clear();
            expect_close(model.prefill(state, 0, token, length), wanted + (rows - 1) * vocab,
                         static_cast<int>(vocab),
                         std::string(isa) + ", list " + std::to_string(k) + ", whole");
        }
    }
}

} // namespace
} // namespace ks::model
