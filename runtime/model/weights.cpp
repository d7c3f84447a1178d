// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/weights.h"
#include "runtime/base/error.h"

namespace ks::model {

namespace {

using Shape = std::vector<int64_t>;

struct Loader {
    const ks_library &library;
    const io::Checkpoint &checkpoint;
    const Config &config;
    DType dtype;

    const io::Tensor &tensor(const std::string &name, const Shape &shape) const {
        const io::Tensor &t = checkpoint.at(name);
        if (t.shape != shape)
            throw Error(checkpoint.folder(), name + " has the shape " + io::shape_text(t.shape) +
                                                 ", the configuration says " + io::shape_text(shape));
        return t;
    }
    AlignedBytes floats(const std::string &name, const Shape &shape) const {
        return pack_floats(tensor(name, shape));
    }
    AlignedBytes bias(const std::string &name, int64_t n, int64_t padded) const {
        return pack_floats(tensor(name, {n}), padded);
    }
    PackedMatrix matrix(const std::string &name, int64_t rows, int64_t cols) const {
        return pack_matrix(library, "linear", {}, tensor(name, {rows, cols}), dtype);
    }
    std::vector<float> values(const std::string &name, const Shape &shape) const {
        return io::to_f32(tensor(name, shape));
    }

    MixerWeights mixer(const std::string &at) const;
    MlpWeights mlp(const std::string &at, int experts) const;
    Expert expert(const std::string &at) const;
    void embedding(const std::string &name, Weights &w) const;
};

MixerWeights Loader::mixer(const std::string &at) const {
    const Config &c = config;
    MixerWeights w;
    w.in_proj = matrix(at + "in_proj.weight", 2 * c.inner, c.hidden);
    w.x_proj = matrix(at + "x_proj.weight", c.dt_rank + 2 * c.state, c.inner);
    w.dt_proj = matrix(at + "dt_proj.weight", c.inner, c.dt_rank);
    w.out_proj = matrix(at + "out_proj.weight", c.hidden, c.inner);
    if (c.proj_bias) {
        w.in_bias = bias(at + "in_proj.bias", 2 * c.inner, w.in_proj.padded());
        w.out_bias = bias(at + "out_proj.bias", c.hidden, w.out_proj.padded());
    }
    w.conv_weight = pack_floats(
        transposed(values(at + "conv1d.weight", {c.inner, 1, c.conv_width}), c.inner, c.conv_width));
    if (c.conv_bias) w.conv_bias = floats(at + "conv1d.bias", {c.inner});
    w.decay = pack_decay(values(at + "A_log", {c.inner, c.state}), c.inner, c.state);
    w.skip = floats(at + "D", {c.inner});
    w.dt_bias = floats(at + "dt_proj.bias", {c.inner});
    return w;
}

Expert Loader::expert(const std::string &at) const {
    int halves = config.gated ? 2 : 1;
    std::map<std::string, std::string> choices = {
        {"act", config.activation == Activation::silu ? "silu" : "gelu_erf"},
        {"halves", std::to_string(halves)}};
    const io::Tensor &fc1 = tensor(at + "linear_fc1.weight", {halves * config.ffn, config.hidden});
    const io::Tensor &fc2 = tensor(at + "linear_fc2.weight", {config.hidden, config.ffn});
    return {pack_matrix(library, "expert_up", choices, fc1, dtype, halves),
            pack_matrix(library, "expert_down", {}, fc2, dtype)};
}

MlpWeights Loader::mlp(const std::string &at, int experts) const {
    MlpWeights w;
    if (config.mlp_bias)
        throw Error(checkpoint.config_path(), "add_bias_linear: biases in the MLPs are not supported");
    if (experts == 1) {
        w.experts.push_back(expert(at));
        return w;
    }
    // Top-1 is decided on logits of f32 products, whatever the other weights are.
    w.router = pack_matrix(library, "linear", {}, tensor(at + "router.weight", {experts, config.hidden}),
                           DType::f32);
    w.router_bias = bias(at + "router.bias", experts, w.router.padded());
    for (int e = 0; e < experts; e++)
        w.experts.push_back(expert(at + "local_experts." + std::to_string(e) + "."));
    return w;
}

void Loader::embedding(const std::string &name, Weights &w) const {
    const io::Tensor &t = tensor(name, {config.vocab, config.hidden});
    w.embedding_dtype = dtype;
    bool aligned = reinterpret_cast<uintptr_t>(t.data) % size_of(dtype) == 0;
    if (t.dtype == dtype && aligned) {
        w.embedding = t.data;
        return;
    }
    std::vector<float> values = io::to_f32(t);
    w.embedding_copy = AlignedBytes(values.size() * size_of(dtype));
    auto *half = reinterpret_cast<uint16_t *>(w.embedding_copy.data());
    for (size_t i = 0; i < values.size(); i++) {
        if (dtype == DType::f32)
            w.embedding_copy.floats()[i] = values[i];
        else
            half[i] = dtype == DType::bf16 ? bf16_of(values[i]) : f16_of(values[i]);
    }
    w.embedding = w.embedding_copy.data();
}

} // namespace

Weights load_weights(const ks_library &library, const io::Checkpoint &checkpoint, const Config &c,
                     DType dtype) {
    Loader load{library, checkpoint, c, dtype};
    bool blackmamba = c.family == Family::blackmamba;
    std::string layers = blackmamba ? "decoder.layers." : "backbone.layers.";
    std::string final_norm = blackmamba ? "decoder.final_layernorm." : "backbone.norm_f.";
    std::string table = blackmamba ? "embedding.word_embeddings.weight" : "backbone.embedding.weight";
    if (c.family == Family::mamba_hf && checkpoint.find("backbone.embeddings.weight"))
        table = "backbone.embeddings.weight";
    Weights w;
    load.embedding(table, w);
    for (size_t i = 0; i < c.layers.size(); i++) {
        std::string at = layers + std::to_string(i) + ".";
        const Layer &layer = c.layers[i];
        LayerWeights l;
        l.norm = load.floats(at + "norm.weight", {c.hidden});
        if (layer.mixer) l.mixer = load.mixer(at + "mixer.");
        bool parallel = layer.mixer && layer.experts;
        if (parallel) l.mlp_norm = load.floats(at + "norm_moe.weight", {c.hidden});
        if (layer.experts) l.mlp = load.mlp(at + (parallel ? "moe." : "mixer."), layer.experts);
        w.layers.push_back(std::move(l));
    }
    w.final_weight = load.floats(final_norm + "weight", {c.hidden});
    if (c.final_norm == Norm::layer) w.final_bias = load.floats(final_norm + "bias", {c.hidden});
    w.head = load.matrix(c.tie_embeddings ? table : "lm_head.weight", c.vocab, c.hidden);
    return w;
}

} // namespace ks::model
