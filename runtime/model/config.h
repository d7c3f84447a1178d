// SPDX-License-Identifier: Apache-2.0
// What config.json says about a model, for every family that Kingsnake reads, checked and with defaults
// filled in.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ks::model {

enum class Family {
    blackmamba,   // Zyphra/BlackMamba: mixers and Switch MLPs
    mamba_native, // state-spaces/mamba
    mamba_hf,     // the same models in the form of HF transformers
};
enum class Activation { gelu_erf, silu }; // of the MLPs and experts; mixers always use SiLU
enum class Norm { rms, layer };           // layer: mean subtracted, with bias

// One layer: a mixer, an MLP, or both in parallel on the same residual.
struct Layer {
    bool mixer = false;
    int experts = 0; // 0 no MLP, 1 a dense MLP, k >= 2 a Switch MLP of k experts
};

// All sizes are positive and below the limits of config.cpp, so their products by two fit in 64 bits.
struct Config {
    Family family = Family::blackmamba;
    std::vector<Layer> layers; // not empty

    int64_t hidden = 0;     // H, the model width
    int64_t inner = 0;      // Di, the mixer width: expand * hidden
    int64_t state = 0;      // N, states per channel
    int64_t conv_width = 0; // W
    int64_t dt_rank = 0;    // R
    int64_t ffn = 0;        // F, the width of MLPs and experts; 0 when no layer has one
    int64_t vocab = 0;      // rows of the embedding, padding included
    int64_t tokens = 0;     // ids that mean something: rows beyond are padding
    int64_t max_length = 0; // of a training sequence, 0 when the file does not say; no limit of the model

    Activation activation = Activation::silu;
    bool gated = false;     // fc1 is [2 * ffn, hidden], activated half first; else [ffn, hidden]
    bool proj_bias = false; // of the mixer's in_proj and out_proj
    bool conv_bias = true;
    bool mlp_bias = false; // of fc1 and fc2

    Norm norm = Norm::rms, final_norm = Norm::rms;
    double norm_eps = 1e-5;
    bool tie_embeddings = true; // the head is the embedding
    bool residual_in_fp32 = true;
    // The residual sum is rounded to the model's type before it is normalised.
    bool round_before_norm = true;
    std::vector<int> eos; // end ids, empty when the file does not say
};

// `source` is the name of the file, which begins every ks::Error; the field follows it. Fields that do not
// concern inference are ignored; those that ask for something unknown (attention layers, Mamba-2) are
// refused.
Config parse_config(const std::string &source, const nlohmann::json &json);

} // namespace ks::model
