// SPDX-License-Identifier: Apache-2.0
// Whole-model reference composed of the op oracles.
#include "tests/oracles/blackmamba_model.h"

#include "tests/oracles/check.h"
#include "tests/oracles/embedding.h"
#include "tests/oracles/expert_mlp.h"
#include "tests/oracles/linear.h"
#include "tests/oracles/norm.h"

#include <algorithm>

namespace ks::oracle {
namespace {

// What one entry of the layer list asks for.
struct Layer {
    bool mamba = false;
    int experts = 0; // 0: no MLP, 1: dense
};

Layer parse(const std::string &entry) {
    Layer layer;
    std::string rest = entry;
    if (!rest.empty() && rest[0] == 'r') {
        layer.mamba = true;
        rest.erase(0, 1);
    }
    if (rest.size() == 1 && rest[0] >= '1' && rest[0] <= '9') layer.experts = rest[0] - '0';
    expect(rest.empty() ? layer.mamba : layer.experts > 0, "layers: unknown entry");
    return layer;
}

struct Run {
    const ModelConfig &config;
    const WeightSource &weights;
    const ModelOptions &options;
    ModelTrace &trace;

    size_t width() const { return static_cast<size_t>(config.mixer.hidden); }
    std::string layer_prefix(size_t i) const {
        return (config.family == Family::blackmamba ? "decoder.layers." : "backbone.layers.") +
               std::to_string(i) + ".";
    }
    std::string embedding_key() const {
        switch (config.family) {
        case Family::blackmamba:
            return "embedding.word_embeddings.weight";
        case Family::mamba_native:
            return "backbone.embedding.weight";
        default:
            return "backbone.embeddings.weight";
        }
    }
    NormOptions layer_norm_options() const;
    std::vector<double> mlp(const std::vector<double> &x, int experts, const std::string &prefix);
    std::vector<double> expert(const std::vector<double> &x, const std::vector<double> &gate,
                               const std::string &prefix);
    Routing route(const std::vector<double> &x, int experts, const std::string &prefix);
    std::vector<double> layer(size_t i, const std::vector<double> &hidden, std::vector<double> &residual,
                              MixerState &state);
    std::vector<double> final_norm(const std::vector<double> &hidden, std::vector<double> &residual);
};

// Native Mamba-1 gives the norm the fp32 sum; the others round it first, and HF rounds once more inside.
NormOptions Run::layer_norm_options() const {
    NormOptions o;
    o.eps = config.eps;
    o.output = options.rounding;
    if (config.family != Family::mamba_native) o.sum = options.rounding;
    if (config.family == Family::mamba_hf) o.normalised = options.rounding;
    return o;
}

// x [n,H], gate [n] or empty -> [n,H]: one expert's MLP over the rows given.
std::vector<double> Run::expert(const std::vector<double> &x, const std::vector<double> &gate,
                                const std::string &prefix) {
    ExpertMlp m;
    m.width = config.mixer.hidden;
    m.hidden = config.ffn;
    m.gated = config.gated;
    m.activation = config.activation;
    m.rounding = options.rounding;
    m.x = x;
    m.gate = gate;
    m.fc1 = weights(prefix + "linear_fc1.weight");
    m.fc2 = weights(prefix + "linear_fc2.weight");
    return expert_mlp(m);
}

Routing Run::route(const std::vector<double> &x, int experts, const std::string &prefix) {
    const std::vector<double> w = weights(prefix + "router.weight"), b = weights(prefix + "router.bias");
    std::vector<double> logits = linear(x, w, config.mixer.hidden, b);
    const size_t E = static_cast<size_t>(experts);
    expect_size("router.bias", b, E);
    for (size_t row = 0; row < logits.size(); row += E) {
        std::vector<double> v(logits.begin() + static_cast<std::ptrdiff_t>(row),
                              logits.begin() + static_cast<std::ptrdiff_t>(row + E));
        std::sort(v.rbegin(), v.rend());
        trace.logit_margin.back().push_back(v[0] - v[1]);
    }
    if (options.round_router) logits = rounded(std::move(logits), options.rounding);
    Routing r = route_top1(logits, experts, config.gate);
    if (options.round_router && options.rounding != Rounding::none && config.gate == Gate::sigmoid) {
        for (double &g : logits) g = rounded(sigmoid(g), options.rounding);
        r.index = route_top1(logits, experts, config.gate).index; // the largest rounded sigmoid
        r.groups = group_by_expert(r.index, experts);
    }
    r.gate = rounded(std::move(r.gate), options.rounding);
    trace.expert.back() = r.index;
    return r;
}

std::vector<double> Run::mlp(const std::vector<double> &x, int experts, const std::string &prefix) {
    if (experts == 1) return expert(x, {}, prefix);
    const Routing r = route(x, experts, prefix);
    const size_t H = width();
    std::vector<double> y(x.size());
    for (int e = 0; e < experts; e++) {
        std::vector<size_t> rows;
        std::vector<double> part, gate;
        for (size_t t = 0; t < r.index.size(); t++) {
            if (r.index[t] != e) continue;
            rows.push_back(t);
            gate.push_back(r.gate[t]);
            for (size_t i = 0; i < H; i++) part.push_back(x[t * H + i]);
        }
        if (rows.empty()) continue;
        part = expert(part, gate, prefix + "local_experts." + std::to_string(e) + ".");
        for (size_t k = 0; k < rows.size(); k++)
            for (size_t i = 0; i < H; i++) y[rows[k] * H + i] = part[k * H + i];
    }
    return y;
}

// Adds hidden to the residual and returns the layer's output, not yet added.
std::vector<double> Run::layer(size_t i, const std::vector<double> &hidden, std::vector<double> &residual,
                               MixerState &state) {
    const Layer kind = parse(config.layers[i]);
    const std::string prefix = layer_prefix(i);
    const std::vector<double> before = residual;
    std::vector<double> v =
        rms_norm(hidden, &residual, weights(prefix + "norm.weight"), layer_norm_options());
    if (!kind.mamba) return mlp(v, kind.experts, prefix + "mixer.");
    std::vector<double> out =
        mamba_mixer(v, config.mixer, weights, prefix + "mixer.", options.rounding, state);
    if (kind.experts == 0) return out;
    std::vector<double> same = before;
    v = rms_norm(hidden, &same, weights(prefix + "norm_moe.weight"), layer_norm_options());
    const std::vector<double> beside = mlp(v, kind.experts, prefix + "moe.");
    for (size_t k = 0; k < out.size(); k++) out[k] = rounded(out[k] + beside[k], options.rounding);
    return out;
}

std::vector<double> Run::final_norm(const std::vector<double> &hidden, std::vector<double> &residual) {
    NormOptions o = layer_norm_options();
    if (config.family == Family::blackmamba)
        return layer_norm(hidden, &residual, weights("decoder.final_layernorm.weight"),
                          weights("decoder.final_layernorm.bias"), o);
    o.sum = o.normalised = Rounding::none; // HF's last norm sees the fp32 stream
    return rms_norm(hidden, &residual, weights("backbone.norm_f.weight"), o);
}

} // namespace

std::vector<double> model_logits(const ModelConfig &config, const WeightSource &weights,
                                 const std::vector<int> &tokens, const ModelOptions &options,
                                 ModelState *state, ModelTrace *trace) {
    ModelTrace own_trace;
    ModelState own_state;
    if (!trace) trace = &own_trace;
    if (!state) state = &own_state;
    *trace = {};
    expect(state->empty() || state->size() == config.layers.size(), "state: one entry per layer");
    state->resize(config.layers.size());
    Run run{config, weights, options, *trace};

    std::vector<double> table = weights(run.embedding_key()), residual;
    expect_size("embedding", table, static_cast<size_t>(config.vocab) * run.width());
    std::vector<double> hidden = embedding(tokens, table, config.mixer.hidden);
    for (size_t i = 0; i < config.layers.size(); i++) {
        trace->expert.emplace_back();
        trace->logit_margin.emplace_back();
        hidden = run.layer(i, hidden, residual, (*state)[i]);
        trace->residual.push_back(residual);
        for (size_t k = 0; k < hidden.size(); k++) trace->residual.back()[k] += hidden[k];
    }
    hidden = run.final_norm(hidden, residual);
    if (config.family != Family::blackmamba && !config.tied) table = weights("lm_head.weight");
    return rounded(head(hidden, table, config.mixer.hidden), options.rounding);
}

} // namespace ks::oracle
