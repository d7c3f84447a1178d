// SPDX-License-Identifier: Apache-2.0
// One function for each family: its field names, its defaults, and what it asks for that is not supported.
#include "runtime/model/config.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/model/config_fields.h"
#include "runtime/model/layer_pattern.h"
#include <algorithm>

namespace ks::model {

namespace {

using nlohmann::json;

// Far above every published model, and low enough that products of sizes stay in 64 bits.
constexpr int64_t kMaxLayers = 1024, kMaxHidden = 1 << 17, kMaxExpand = 16, kMaxState = 4096, kMaxConv = 64;
constexpr int64_t kMaxFfn = 1 << 20, kMaxVocab = 1 << 24, kMaxLength = 1 << 30, kMaxPad = 1 << 16;

int64_t round_up(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// "auto" or absent means ceil(hidden / 16).
int64_t dt_rank_of(const Fields &fields, const char *name, int64_t hidden) {
    const json *value = fields.get(name);
    if (!value || *value == "auto") return (hidden + 15) / 16;
    return fields.size(name, kMaxHidden);
}

Config blackmamba(const std::string &source, const json &object) {
    const Fields fields(source, object);
    Config c;
    c.family = Family::blackmamba;
    const int64_t count = fields.size("num_layers", kMaxLayers);
    const json *pattern = fields.get("mamba_moe_layers");
    c.layers = parse_layers(source, pattern ? *pattern : json::array(), count);
    c.hidden = fields.size("hidden_size", kMaxHidden);
    c.inner = fields.size_or("expansion_factor", kMaxExpand, 2) * c.hidden;
    c.state = fields.size_or("state_size", kMaxState, 16);
    c.conv_width = fields.size_or("conv_dimension", kMaxConv, 4);
    c.dt_rank = (c.hidden + 15) / 16;
    const bool has_mlp = std::any_of(c.layers.begin(), c.layers.end(), [](Layer l) { return l.experts > 0; });
    if (has_mlp) c.ffn = fields.size("ffn_hidden_size", kMaxFfn);
    c.vocab = c.tokens = fields.size("vocab_size", kMaxVocab);
    c.max_length = fields.size_or("max_sequence_length", kMaxLength, 0);
    c.gated = fields.flag("swiglu", false);
    // The released loader takes both biases from this one field and ignores the file's "bias".
    c.proj_bias = c.mlp_bias = fields.flag("add_bias_linear", false);
    // The released code computes the exact GELU although the gate is called swiglu: the default here too.
    const std::string activation = fields.text("activation", "gelu_erf");
    if (activation != "gelu_erf" && activation != "silu")
        fields.fail("activation", "is " + io::shown(activation) + ": expected gelu_erf or silu");
    c.activation = activation == "silu" ? Activation::silu : Activation::gelu_erf;
    c.final_norm = Norm::layer;
    c.eos = fields.ids("eos_token_id");
    return c;
}

Config mamba_native(const std::string &source, const json &object) {
    const Fields fields(source, object);
    const json none = json::object();
    const json *ssm_object = fields.get("ssm_cfg");
    const Fields ssm(source, ssm_object ? *ssm_object : none, "ssm_cfg.");
    if (ssm.text("layer", "Mamba1") != "Mamba1") ssm.fail("layer", "is not Mamba1, the only one supported");
    if (const json *width = fields.get("d_intermediate"); width && *width != 0)
        fields.fail("d_intermediate", "is not 0: MLP layers are not supported in this family");
    if (const json *attention = fields.get("attn_layer_idx"); attention && !attention->empty())
        fields.fail("attn_layer_idx", "is not empty: attention layers are not supported");
    Config c;
    c.family = Family::mamba_native;
    c.layers.assign(static_cast<size_t>(fields.size("n_layer", kMaxLayers)), Layer{true, 0});
    c.hidden = fields.size("d_model", kMaxHidden);
    c.inner = ssm.size_or("expand", kMaxExpand, 2) * c.hidden;
    c.state = ssm.size_or("d_state", kMaxState, 16);
    c.conv_width = ssm.size_or("d_conv", kMaxConv, 4);
    c.dt_rank = dt_rank_of(ssm, "dt_rank", c.hidden);
    c.proj_bias = ssm.flag("bias", false);
    c.conv_bias = ssm.flag("conv_bias", true);
    c.tokens = fields.size("vocab_size", kMaxVocab);
    c.vocab = round_up(c.tokens, fields.size_or("pad_vocab_size_multiple", kMaxPad, 8));
    c.norm = c.final_norm = fields.flag("rms_norm", true) ? Norm::rms : Norm::layer;
    c.residual_in_fp32 = fields.flag("residual_in_fp32", true);
    // The fused kernel normalises the fp32 sum; the unfused path casts it first.
    c.round_before_norm = !fields.flag("fused_add_norm", true);
    c.tie_embeddings = fields.flag("tie_embeddings", true);
    return c;
}

Config mamba_hf(const std::string &source, const json &object) {
    const Fields fields(source, object);
    Config c;
    c.family = Family::mamba_hf;
    c.layers.assign(static_cast<size_t>(fields.size("num_hidden_layers", kMaxLayers)), Layer{true, 0});
    c.hidden = fields.size("hidden_size", kMaxHidden);
    c.inner = fields.size_or("expand", kMaxExpand, 2) * c.hidden;
    if (fields.size_or("intermediate_size", kMaxHidden * kMaxExpand, c.inner) != c.inner)
        fields.fail("intermediate_size", "is not expand * hidden_size = " + std::to_string(c.inner));
    c.state = fields.size_or("state_size", kMaxState, 16);
    c.conv_width = fields.size_or("conv_kernel", kMaxConv, 4);
    c.dt_rank = dt_rank_of(fields, "time_step_rank", c.hidden);
    c.proj_bias = fields.flag("use_bias", false);
    c.conv_bias = fields.flag("use_conv_bias", true);
    const std::string activation = fields.text("hidden_act", "silu");
    if (activation != "silu")
        fields.fail("hidden_act", "is " + io::shown(activation) + ": only silu is supported");
    c.vocab = c.tokens = fields.size("vocab_size", kMaxVocab);
    c.norm_eps = fields.small("layer_norm_epsilon", 1e-5);
    c.residual_in_fp32 = fields.flag("residual_in_fp32", true);
    c.tie_embeddings = fields.flag("tie_word_embeddings", true);
    c.eos = fields.ids("eos_token_id");
    return c;
}

} // namespace

Config parse_config(const std::string &source, const json &object) {
    const Fields fields(source, object);
    const std::string type = fields.text("model_type", "");
    // Converted files carry the native fields beside those of transformers, so the explicit type decides
    // first.
    if (type == "mamba") return mamba_hf(source, object);
    if (!type.empty() && type != "blackmamba")
        fields.fail("model_type", "is " + io::shown(type) + ": not supported");
    if (fields.has("mamba_moe_layers") || type == "blackmamba") return blackmamba(source, object);
    if (fields.has("d_model")) return mamba_native(source, object);
    throw Error(source, "is of no known family: expected mamba_moe_layers (BlackMamba), d_model (Mamba) or "
                        "model_type \"mamba\" (transformers)");
}

} // namespace ks::model
