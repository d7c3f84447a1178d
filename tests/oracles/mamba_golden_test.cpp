// SPDX-License-Identifier: Apache-2.0
// The whole-model reference against logits of the transformers library (Mamba-1) and of PyTorch (BlackMamba).
#include "tests/oracles/blackmamba_model.h"
#include "tests/support/golden.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace ks::oracle {
namespace {

ModelConfig mamba(int hidden, int layers, int states, int dt_rank, int vocab) {
    ModelConfig c;
    c.family = Family::mamba_hf;
    c.mixer.hidden = hidden;
    c.mixer.inner = 2 * hidden;
    c.mixer.states = states;
    c.mixer.dt_rank = dt_rank;
    c.vocab = vocab;
    c.layers.assign(static_cast<size_t>(layers), "r");
    return c;
}

ModelConfig blackmamba() {
    ModelConfig c;
    c.mixer.hidden = 32;
    c.mixer.inner = 64;
    c.mixer.states = 16;
    c.mixer.dt_rank = 2;
    c.vocab = 64;
    c.layers = {"r", "8", "r1", "1", "r4", "r"};
    c.ffn = 64;
    return c;
}

WeightSource source(const test::Tensors &tensors) {
    return [&tensors](const std::string &key) { return tensors.at(key); };
}

double largest_difference(const std::vector<double> &a, const std::vector<double> &b) {
    EXPECT_EQ(a.size(), b.size());
    double worst = 0;
    for (size_t i = 0; i < std::min(a.size(), b.size()); i++) worst = std::max(worst, std::fabs(a[i] - b[i]));
    return worst;
}

// The goldens are computed in float32: some of its rounding errors, relative to the largest logit.
void expect_golden(const ModelConfig &config, const test::Tensors &tensors, const std::string &name) {
    const auto cases = test::read_golden(test::golden_path(name));
    ASSERT_EQ(cases.size(), 5u);
    for (const test::GoldenCase &c : cases) {
        ASSERT_EQ(c.vocab, config.vocab);
        const std::vector<double> wanted(c.logits.begin(), c.logits.end());
        const double scale = largest_difference(wanted, std::vector<double>(wanted.size(), 0.0));
        EXPECT_GT(scale, 1.0);
        EXPECT_LT(largest_difference(model_logits(config, source(tensors), c.tokens), wanted), 4e-6 * scale)
            << name << ", length " << c.tokens.size();
    }
}

TEST(MambaGolden, HfModelWithSmallStateAndItsOwnRank) {
    const auto tensors = test::read_safetensors(test::golden_path("mamba_hf_tiny/model.safetensors"));
    expect_golden(mamba(32, 3, 8, 5, 61), tensors, "mamba_hf_tiny");
}

TEST(MambaGolden, HfModelAndTheSameWeightsUnderNativeKeys) {
    auto tensors = test::read_safetensors(test::golden_path("mamba_hf_tiny2/model.safetensors"));
    ModelConfig config = mamba(40, 2, 16, 3, 64);
    expect_golden(config, tensors, "mamba_hf_tiny2");
    tensors["backbone.embedding.weight"] = tensors.at("backbone.embeddings.weight");
    tensors.erase("backbone.embeddings.weight");
    config.family = Family::mamba_native;
    expect_golden(config, tensors, "mamba_hf_tiny2");
}

TEST(MambaGolden, BlackMambaWithEveryLayerKind) {
    expect_golden(blackmamba(), test::read_indexed_bf16(test::golden_path("blackmamba_tiny")),
                  "blackmamba_tiny");
}

// The golden inputs must not sit on a router tie, where float32 and double may differ.
TEST(MambaGolden, BlackMambaRoutesWithAMargin) {
    const auto tensors = test::read_indexed_bf16(test::golden_path("blackmamba_tiny"));
    for (const test::GoldenCase &c : test::read_golden(test::golden_path("blackmamba_tiny"))) {
        ModelTrace trace;
        model_logits(blackmamba(), source(tensors), c.tokens, {}, nullptr, &trace);
        ASSERT_EQ(trace.logit_margin.size(), 6u);
        for (size_t layer : {size_t{1}, size_t{4}}) {
            ASSERT_EQ(trace.logit_margin[layer].size(), c.tokens.size());
            for (double margin : trace.logit_margin[layer]) EXPECT_GT(margin, 1e-3);
        }
    }
}

// Every switch of the model must matter, or the golden comparison would not notice it.
TEST(MambaGolden, WrongSemanticsAreNoticed) {
    const auto tensors = test::read_indexed_bf16(test::golden_path("blackmamba_tiny"));
    const auto cases = test::read_golden(test::golden_path("blackmamba_tiny"));
    const std::vector<double> wanted(cases[3].logits.begin(), cases[3].logits.end());
    ModelConfig silu = blackmamba(), softmax = blackmamba(), no_conv_bias = blackmamba();
    silu.activation = Activation::silu;
    softmax.gate = Gate::softmax;
    no_conv_bias.mixer.conv_bias = false;
    for (const ModelConfig &wrong : {silu, softmax, no_conv_bias})
        EXPECT_GT(largest_difference(model_logits(wrong, source(tensors), cases[3].tokens), wanted), 1e-2);
    for (const char *key : {"decoder.layers.1.mixer.router.bias", "decoder.final_layernorm.bias",
                            "decoder.layers.4.moe.router.bias", "decoder.layers.2.mixer.D"}) {
        test::Tensors without = tensors;
        std::fill(without[key].begin(), without[key].end(), 0.0);
        EXPECT_GT(largest_difference(model_logits(blackmamba(), source(without), cases[3].tokens), wanted),
                  1e-2)
            << key;
    }
}

TEST(MambaGolden, PiecesWithCarriedStateEqualTheWhole) {
    const auto tensors = test::read_indexed_bf16(test::golden_path("blackmamba_tiny"));
    const std::vector<int> tokens = test::read_golden(test::golden_path("blackmamba_tiny"))[3].tokens;
    const std::vector<double> whole = model_logits(blackmamba(), source(tensors), tokens);
    ModelState state;
    std::vector<double> pieces;
    for (auto [first, last] : {std::pair{0, 1}, {1, 3}, {3, 10}, {10, 17}}) {
        const std::vector<int> part(tokens.begin() + first, tokens.begin() + last);
        const std::vector<double> logits = model_logits(blackmamba(), source(tensors), part, {}, &state);
        pieces.insert(pieces.end(), logits.begin(), logits.end());
    }
    EXPECT_LT(largest_difference(pieces, whole), 1e-12);
}

// A bf16 run is off by some bf16 spacings of a logit (1/32 at 4..8), neither equal nor far.
TEST(MambaGolden, Bf16RoundingHasItsSize) {
    const auto tensors = test::read_safetensors(test::golden_path("mamba_hf_tiny2/model.safetensors"));
    test::Tensors rounded_tensors = tensors;
    for (auto &[key, values] : rounded_tensors) values = rounded(values, Rounding::bf16);
    const std::vector<int> tokens = test::read_golden(test::golden_path("mamba_hf_tiny2"))[3].tokens;
    ModelConfig config = mamba(40, 2, 16, 3, 64);
    ModelOptions bf16;
    bf16.rounding = Rounding::bf16;
    const auto exact = model_logits(config, source(rounded_tensors), tokens);
    const auto half = model_logits(config, source(rounded_tensors), tokens, bf16);
    EXPECT_GT(largest_difference(half, exact), 1e-3);
    EXPECT_LT(largest_difference(half, exact), 0.5);
    for (double v : half) EXPECT_EQ(v, to_bf16(v));
}

TEST(MambaGolden, UnknownLayerEntriesAndSizesAreRefused) {
    const auto tensors = test::read_indexed_bf16(test::golden_path("blackmamba_tiny"));
    for (const char *entry : {"", "16", "r16", "x", "0", "rr", "1r"}) {
        ModelConfig config = blackmamba();
        config.layers[0] = entry;
        EXPECT_THROW(model_logits(config, source(tensors), {1}), std::invalid_argument) << entry;
    }
    EXPECT_THROW(model_logits(blackmamba(), source(tensors), {64}), std::invalid_argument);
    ModelConfig narrow = blackmamba();
    narrow.ffn = 32;
    EXPECT_THROW(model_logits(narrow, source(tensors), {1}), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
