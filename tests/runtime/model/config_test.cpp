// SPDX-License-Identifier: Apache-2.0
// The three families' configs as published, and one wrong field at a time.
#include "runtime/model/config.h"
#include "tests/runtime/io/files.h"

namespace ks::model {

namespace {

using nlohmann::json;

json blackmamba() {
    return json::parse(R"({"num_layers": 4, "hidden_size": 1472, "state_size": 16, "conv_dimension": 4,
        "expansion_factor": 2, "mamba_moe_layers": ["r", "8", "r1", "r4"], "ffn_hidden_size": 3872,
        "vocab_size": 50304, "max_sequence_length": 2048, "bias": true, "add_bias_linear": false, "swiglu": true})");
}
json native() {
    return json::parse(
        R"({"d_model": 768, "n_layer": 24, "vocab_size": 50277, "ssm_cfg": {}, "rms_norm": true,
        "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 8})");
}
json hf() {
    return json::parse(R"({"model_type": "mamba", "architectures": ["MambaForCausalLM"], "hidden_size": 2560,
        "num_hidden_layers": 64, "state_size": 16, "conv_kernel": 4, "expand": 2, "intermediate_size": 5120,
        "time_step_rank": 160, "layer_norm_epsilon": 1e-06, "hidden_act": "silu", "use_bias": false,
        "use_conv_bias": true, "residual_in_fp32": true, "vocab_size": 50280, "eos_token_id": 0,
        "d_model": 2560, "n_layer": 64, "ssm_cfg": {}})");
}

Config parse(const json &object) { return parse_config("dir/config.json", object); }
void refuses(const json &object, const std::string &cause) {
    test::expect_error("dir/config.json: ", cause, [&] { parse(object); });
}
json with(json object, const std::string &field, const json &value) {
    object[field] = value;
    return object;
}
json without(json object, const std::string &field) {
    object.erase(field);
    return object;
}

} // namespace

TEST(Config, ReadsBlackMamba) {
    Config c = parse(blackmamba());
    EXPECT_EQ(c.family, Family::blackmamba);
    ASSERT_EQ(c.layers.size(), 4u);
    const std::vector<std::pair<bool, int>> expected{{true, 0}, {false, 8}, {true, 1}, {true, 4}};
    for (size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(c.layers[i].mixer, expected[i].first) << i;
        EXPECT_EQ(c.layers[i].experts, expected[i].second) << i;
    }
    EXPECT_EQ(c.hidden, 1472);
    EXPECT_EQ(c.inner, 2944);
    EXPECT_EQ(c.state, 16);
    EXPECT_EQ(c.conv_width, 4);
    EXPECT_EQ(c.dt_rank, 92);
    EXPECT_EQ(c.ffn, 3872);
    EXPECT_EQ(c.vocab, 50304);
    EXPECT_EQ(c.max_length, 2048);
    EXPECT_TRUE(c.gated);
    EXPECT_FALSE(c.proj_bias); // the file's "bias" is ignored, as in the released loader
    EXPECT_FALSE(c.mlp_bias);
    EXPECT_EQ(c.activation, Activation::gelu_erf);
    EXPECT_EQ(c.norm, Norm::rms);
    EXPECT_EQ(c.final_norm, Norm::layer);
    EXPECT_EQ(c.norm_eps, 1e-5);
    EXPECT_TRUE(c.tie_embeddings && c.residual_in_fp32 && c.round_before_norm && c.conv_bias);
    EXPECT_EQ(parse(with(blackmamba(), "activation", "silu")).activation, Activation::silu);
    Config biased = parse(with(blackmamba(), "add_bias_linear", true));
    EXPECT_TRUE(biased.proj_bias && biased.mlp_bias);
}

TEST(Config, RoundsTheStepRankUp) {
    EXPECT_EQ(parse(with(blackmamba(), "hidden_size", 1473)).dt_rank, 93);
    EXPECT_EQ(parse(with(blackmamba(), "hidden_size", 1)).dt_rank, 1);
}

TEST(Config, ReadsMixersOnly) {
    json object = with(without(blackmamba(), "ffn_hidden_size"), "mamba_moe_layers", json::array());
    Config c = parse(object);
    ASSERT_EQ(c.layers.size(), 4u);
    for (const Layer &layer : c.layers) EXPECT_TRUE(layer.mixer && layer.experts == 0);
    EXPECT_EQ(c.ffn, 0);
    EXPECT_NO_THROW(parse(with(object, "mamba_moe_layers", {"r", "r", "r", "r"})));
}

TEST(Config, RefusesAmbiguousLayers) {
    for (const char *entry :
         {"16", "r16", "x", "0", "9r", "", "r0", "rr", "R", "r8 ", " 8", "8r", "-1", "r-", "8.0"}) {
        SCOPED_TRACE(entry);
        refuses(with(blackmamba(), "mamba_moe_layers", {"r", "8", entry, "8"}),
                std::string("mamba_moe_layers[2] is '") + entry + "'");
    }
    refuses(with(blackmamba(), "mamba_moe_layers", {"r", 8, "r", "8"}), "mamba_moe_layers[1] is not text");
    refuses(with(blackmamba(), "mamba_moe_layers", {"r", "8"}), "has 2 entries for 4 layers");
    refuses(with(blackmamba(), "mamba_moe_layers", "r8r8"), "is not a list");
    refuses(with(blackmamba(), "mamba_moe_layers", {"r", "8", std::string(100000, 'z'), "8"}), "[2] is 'zzz");
}

TEST(Config, ReadsNativeMamba) {
    Config c = parse(native());
    EXPECT_EQ(c.family, Family::mamba_native);
    EXPECT_EQ(c.layers.size(), 24u);
    EXPECT_TRUE(c.layers[0].mixer && c.layers[0].experts == 0);
    EXPECT_EQ(c.hidden, 768);
    EXPECT_EQ(c.inner, 1536);
    EXPECT_EQ(c.dt_rank, 48);
    EXPECT_EQ(c.vocab, 50280);
    EXPECT_EQ(c.tokens, 50277);
    EXPECT_EQ(c.final_norm, Norm::rms);
    EXPECT_FALSE(c.round_before_norm);
    EXPECT_TRUE(c.tie_embeddings);
    Config other =
        parse(with(with(native(), "fused_add_norm", false), "ssm_cfg",
                   {{"d_state", 32}, {"d_conv", 3}, {"expand", 4}, {"dt_rank", 7}, {"bias", true}}));
    EXPECT_EQ(other.state, 32);
    EXPECT_EQ(other.conv_width, 3);
    EXPECT_EQ(other.inner, 3072);
    EXPECT_EQ(other.dt_rank, 7);
    EXPECT_TRUE(other.proj_bias && other.round_before_norm);
    EXPECT_EQ(parse(with(native(), "ssm_cfg", {{"dt_rank", "auto"}})).dt_rank, 48);
    EXPECT_EQ(parse(with(native(), "pad_vocab_size_multiple", 1)).vocab, 50277);
    EXPECT_EQ(parse(with(native(), "rms_norm", false)).final_norm, Norm::layer);
}

TEST(Config, ReadsTransformersMamba) {
    Config c = parse(hf());
    EXPECT_EQ(c.family, Family::mamba_hf);
    EXPECT_EQ(c.layers.size(), 64u);
    EXPECT_EQ(c.inner, 5120);
    EXPECT_EQ(c.dt_rank, 160);
    EXPECT_EQ(c.vocab, 50280);
    EXPECT_EQ(c.norm_eps, 1e-6);
    EXPECT_EQ(c.eos, std::vector<int>{0});
    EXPECT_TRUE(c.round_before_norm && c.tie_embeddings);
    EXPECT_FALSE(parse(with(hf(), "tie_word_embeddings", false)).tie_embeddings);
    EXPECT_EQ(parse(with(hf(), "eos_token_id", {0, 2})).eos, (std::vector<int>{0, 2}));
    EXPECT_TRUE(parse(with(hf(), "eos_token_id", nullptr)).eos.empty());
}

TEST(Config, RefusesSizesOutOfRange) {
    for (const char *field : {"num_layers", "hidden_size", "state_size", "conv_dimension", "expansion_factor",
                              "ffn_hidden_size", "vocab_size", "max_sequence_length"})
        for (const json &bad : {json(0), json(-1), json(1.5), json(2e9), json("8"), json(true),
                                json(UINT64_MAX), json(INT64_MAX), json::array({1})})
            refuses(with(blackmamba(), field, bad), std::string(field) + " is not an integer from 1 to ");
    for (const char *field : {"num_layers", "hidden_size", "ffn_hidden_size", "vocab_size"})
        refuses(without(blackmamba(), field), std::string(field) + " is missing");
    refuses(with(native(), "d_model", 0), "d_model is not an integer");
    refuses(with(native(), "ssm_cfg", {{"d_state", 1 << 20}}),
            "ssm_cfg.d_state is not an integer from 1 to 4096");
    refuses(with(native(), "ssm_cfg", {{"dt_rank", "big"}}), "ssm_cfg.dt_rank is not an integer");
    refuses(with(hf(), "num_hidden_layers", 1025), "num_hidden_layers is not an integer from 1 to 1024");
    refuses(with(hf(), "layer_norm_epsilon", 0), "layer_norm_epsilon is not a number above 0");
    refuses(with(hf(), "layer_norm_epsilon", 1), "layer_norm_epsilon is not a number above 0");
    refuses(with(hf(), "layer_norm_epsilon", "x"), "layer_norm_epsilon is not a number above 0");
}

TEST(Config, RefusesWhatIsNotSupported) {
    refuses(with(blackmamba(), "activation", "relu"), "activation is 'relu': expected gelu_erf or silu");
    refuses(with(blackmamba(), "swiglu", 1), "swiglu is neither true nor false");
    refuses(with(native(), "ssm_cfg", {{"layer", "Mamba2"}}), "ssm_cfg.layer is not Mamba1");
    refuses(with(native(), "ssm_cfg", 3), "ssm_cfg");
    refuses(with(native(), "d_intermediate", 512), "d_intermediate is not 0");
    refuses(with(native(), "attn_layer_idx", {3}), "attn_layer_idx is not empty");
    EXPECT_NO_THROW(parse(with(with(native(), "attn_layer_idx", json::array()), "d_intermediate", 0)));
    refuses(with(hf(), "hidden_act", "gelu"), "hidden_act is 'gelu'");
    refuses(with(hf(), "intermediate_size", 5000), "intermediate_size is not expand * hidden_size = 5120");
    refuses(with(hf(), "model_type", "llama"), "model_type is 'llama': not supported");
    refuses(with(hf(), "eos_token_id", -1), "eos_token_id");
    refuses(json::object(), "of no known family");
    refuses(json::array(), "is not a JSON object");
}

} // namespace ks::model
