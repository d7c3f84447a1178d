// SPDX-License-Identifier: Apache-2.0
// Rounding points of the whole-model reference that differ between families, on models of one or two
// channels.
#include "tests/oracles/blackmamba_model.h"

#include <cmath>
#include <gtest/gtest.h>
#include <map>
#include <set>

namespace ks::oracle {
namespace {

using Weights = std::map<std::string, std::vector<double>>;

WeightSource source(const Weights &weights) {
    return [&weights](const std::string &key) { return weights.at(key); };
}

ModelOptions in_bf16() {
    ModelOptions o;
    o.rounding = Rounding::bf16;
    return o;
}

constexpr double norm_weight = 1.25; // a bf16 value

// H = 2, Di = N = R = 1. Token 0 is (259, 1), where 259 rounds to 260 in bf16; the x branch of in_proj takes
// the second normed element, which the convolution's state then shows.
ModelConfig one_mixer(Family family, const std::string &layer, const std::string &embedding,
                      Weights &weights) {
    ModelConfig c;
    c.family = family;
    c.mixer.hidden = 2;
    c.mixer.inner = c.mixer.states = c.mixer.dt_rank = 1;
    c.mixer.conv_width = 2;
    c.vocab = 1;
    c.layers = {"r"};
    weights = {{embedding, {259, 1}},
               {layer + "norm.weight", {1, norm_weight}},
               {layer + "mixer.in_proj.weight", {0, 1, 0, 0}},
               {layer + "mixer.conv1d.weight", {0, 0}},
               {layer + "mixer.conv1d.bias", {0}},
               {layer + "mixer.x_proj.weight", {0, 0, 0}},
               {layer + "mixer.dt_proj.weight", {0}},
               {layer + "mixer.dt_proj.bias", {0}},
               {layer + "mixer.A_log", {0}},
               {layer + "mixer.D", {0}},
               {layer + "mixer.out_proj.weight", {0, 0}},
               {"backbone.norm_f.weight", {1, 1}},
               {"decoder.final_layernorm.weight", {1, 1}},
               {"decoder.final_layernorm.bias", {0, 0}}};
    return c;
}

double normed(Family family, const std::string &layer, const std::string &embedding) {
    Weights weights;
    const ModelConfig config = one_mixer(family, layer, embedding, weights);
    ModelState state;
    model_logits(config, source(weights), {0}, in_bf16(), &state);
    return state.at(0).conv.at(0);
}

TEST(BlackMambaModel, FamiliesRoundTheNormsInputDifferently) {
    const auto second = [](double first) { return 1 / std::sqrt((first * first + 1) / 2 + 1e-5); };
    const double native = to_bf16(second(259) * norm_weight), once = to_bf16(second(260) * norm_weight);
    const double twice = to_bf16(to_bf16(second(260)) * norm_weight);
    ASSERT_EQ((std::set<double>{native, once, twice}).size(), 3u); // or this test sees nothing
    EXPECT_EQ(normed(Family::mamba_native, "backbone.layers.0.", "backbone.embedding.weight"), native);
    EXPECT_EQ(normed(Family::blackmamba, "decoder.layers.0.", "embedding.word_embeddings.weight"), once);
    EXPECT_EQ(normed(Family::mamba_hf, "backbone.layers.0.", "backbone.embeddings.weight"), twice);
}

// The expert chosen between two whose logits are the biases given.
int chosen(double first, double second, const ModelOptions &options) {
    ModelConfig c;
    c.mixer.hidden = c.vocab = c.ffn = 1;
    c.layers = {"2"};
    const std::string mixer = "decoder.layers.0.mixer.";
    Weights weights = {{"embedding.word_embeddings.weight", {1}}, {"decoder.layers.0.norm.weight", {1}},
                       {mixer + "router.weight", {0, 0}},         {mixer + "router.bias", {first, second}},
                       {"decoder.final_layernorm.weight", {1}},   {"decoder.final_layernorm.bias", {0}}};
    for (const char *expert : {"local_experts.0.", "local_experts.1."}) {
        weights[mixer + expert + "linear_fc1.weight"] = {0, 0};
        weights[mixer + expert + "linear_fc2.weight"] = {0};
    }
    ModelTrace trace;
    model_logits(c, source(weights), {0}, options, nullptr, &trace);
    EXPECT_NEAR(trace.logit_margin.at(0).at(0), second - first, 1e-12);
    return trace.expert.at(0).at(0);
}

TEST(BlackMambaModel, RoundedRouterTies) {
    ModelOptions exact_router = in_bf16();
    exact_router.round_router = false;
    EXPECT_EQ(chosen(1.0, 1.001, {}), 1);
    EXPECT_EQ(chosen(1.0, 1.001, exact_router), 1);
    EXPECT_EQ(chosen(1.0, 1.001, in_bf16()), 0); // equal as bf16 logits
    EXPECT_EQ(chosen(7.0, 7.5, exact_router), 1);
    EXPECT_EQ(chosen(7.0, 7.5, in_bf16()), 0); // both sigmoids are 1 in bf16
    EXPECT_EQ(chosen(1.0, 1.5, in_bf16()), 1);
}

TEST(BlackMambaModel, UntiedHead) {
    Weights weights;
    ModelConfig c =
        one_mixer(Family::mamba_native, "backbone.layers.0.", "backbone.embedding.weight", weights);
    weights["lm_head.weight"] = {0, 10};
    const double last = 1 / std::sqrt((259.0 * 259 + 1) / 2 + 1e-5);
    c.tied = false;
    EXPECT_NEAR(model_logits(c, source(weights), {0}).at(0), 10 * last, 1e-12);
    c.tied = true;
    EXPECT_NEAR(model_logits(c, source(weights), {0}).at(0), (259.0 * 259 + 1) * last, 1e-9);
}

} // namespace
} // namespace ks::oracle
