// SPDX-License-Identifier: Apache-2.0
// Loading, and the graph of a pass. The parts of a layer are in mixer.cpp and mlp.cpp.
#include "runtime/model/model.h"
#include "runtime/base/error.h"
#include "runtime/model/pass.h"
#include <algorithm>

namespace ks::model {

Model::Model(const std::string &folder, const LoadOptions &options)
    : checkpoint_(folder), config_(parse_config(checkpoint_.config_path(), checkpoint_.config())) {
    if (options.activation) config_.activation = *options.activation;
    if (config_.conv_width < 2 || config_.conv_width > 4)
        throw Error(checkpoint_.config_path(), "a convolution of width " +
                                                   std::to_string(config_.conv_width) +
                                                   " is not supported (2 to 4 are)");
    if (config_.state > 256)
        throw Error(checkpoint_.config_path(), "more than 256 states per channel are not supported");
    auto create = arguments<ks_create_args>();
    create.threads = options.threads;
    create.isa = options.isa.empty() ? nullptr : options.isa.c_str();
    ks_library *library = nullptr;
    check(ks_create(&create, &library));
    library_.reset(library);
    weights_ = load_weights(*library_, checkpoint_, config_, options.dtype);
    // Logits of all positions are asked for in pieces; 64 rows keep the head at full speed.
    buffers_ =
        std::make_unique<Buffers>(config_, weights_, options.chunk, std::min<int64_t>(options.chunk, 64));
}

size_t Model::weight_bytes() const {
    size_t bytes = weights_.embedding_copy.size() + weights_.head.data.size();
    for (const auto &l : weights_.layers) {
        for (const auto *m :
             {&l.mixer.in_proj, &l.mixer.x_proj, &l.mixer.dt_proj, &l.mixer.out_proj, &l.mlp.router})
            bytes += m->data.size();
        for (const auto &e : l.mlp.experts) bytes += e.up.data.size() + e.down.data.size();
    }
    return bytes;
}

bool Model::tuned() const {
    return std::all_of(weights_.layers.begin(), weights_.layers.end(), [](const LayerWeights &l) {
        bool mixer = !l.mixer.in_proj.N || (l.mixer.in_proj.tuned && l.mixer.out_proj.tuned);
        return mixer && (l.mlp.experts.empty() || (l.mlp.experts[0].up.tuned && l.mlp.experts[0].down.tuned));
    });
}

void Model::read_tokens(Pass &pass, const State &state, const Batch &batch) {
    if (batch.first < 0 || batch.sequences < 1 || batch.first + batch.sequences > state.slots())
        throw Error("batch", "has sequences that the state does not hold");
    pass.first = batch.first;
    pass.sequences = batch.sequences;
    int64_t total = 0;
    for (int s = 0; s < batch.sequences; s++) {
        if (batch.lengths[s] < 1) throw Error("batch", "has an empty sequence");
        buffers_->seq_start[s] = total;
        total += batch.lengths[s];
        if (total > buffers_->tokens) throw Error("batch", "has more tokens than a pass takes");
    }
    buffers_->seq_start[batch.sequences] = total;
    pass.tokens = total;
    for (int64_t t = 0; t < total; t++) {
        int id = batch.tokens[t];
        if (id < 0 || id >= config_.vocab)
            throw Error("token " + std::to_string(id),
                        "is not in the vocabulary of " + std::to_string(config_.vocab));
        buffers_->ids[t] = id;
    }
    auto a = arguments<ks_embedding_args>();
    a.T = total;
    a.V = config_.vocab;
    a.H = config_.hidden;
    a.weight =
        static_cast<int64_t>(weights_.embedding_dtype); // DType begins f32, bf16, f16, as the op's choices do
    a.ids = buffers_->ids;
    a.table = weights_.embedding;
    a.y = buffers_->hidden.data;
    a.y_stride = buffers_->hidden.stride;
    check(ks_embedding(library_.get(), &a));
}

namespace {

// Fields that both norms have: residual += hidden (without `add`: = hidden), normed = norm(residual) *
// weight.
template <typename Args>
void fill_norm(Args &a, const Config &c, int64_t rows, const Buffers &b, const AlignedBytes &weight,
               bool add) {
    a.T = rows;
    a.H = c.hidden;
    a.hidden = b.hidden.data;
    a.hidden_stride = b.hidden.stride;
    a.residual = b.residual.data;
    a.residual_stride = b.residual.stride;
    a.weight = weight.floats();
    a.y = b.normed.data;
    a.y_stride = b.normed.stride;
    a.flags = add ? 1 : 0;
    a.eps = c.norm_eps;
}

} // namespace

void Model::norm(const Pass &pass, const AlignedBytes &weight, bool add) {
    auto a = arguments<ks_rms_norm_args>();
    fill_norm(a, config_, pass.tokens, *buffers_, weight, add);
    a.rounding = KS_RMS_NORM_ROUNDING_NONE;
    check(ks_rms_norm(library_.get(), &a));
}

void Model::layer(const Pass &pass, State &state, size_t i) {
    const Layer &kind = config_.layers[i];
    const LayerWeights &w = weights_.layers[i];
    norm(pass, w.norm, i > 0);
    if (!kind.experts) return mixer(pass, state, i, buffers_->hidden);
    if (!kind.mixer) return mlp(pass, i, buffers_->hidden);
    // Parallel: both branches see the same residual, each through its own norm.
    mixer(pass, state, i, buffers_->branch);
    std::fill_n(buffers_->hidden.data, pass.tokens * buffers_->hidden.stride, 0.f);
    norm(pass, w.mlp_norm, true);
    mlp(pass, i, buffers_->hidden);
    auto a = arguments<ks_add_args>();
    a.T = pass.tokens;
    a.H = config_.hidden;
    a.a = a.y = buffers_->hidden.data;
    a.a_stride = a.y_stride = buffers_->hidden.stride;
    a.b = buffers_->branch.data;
    a.b_stride = buffers_->branch.stride;
    check(ks_add(library_.get(), &a));
}

const float *Model::head(const Pass &pass, Logits wanted) {
    Buffers &b = *buffers_;
    int64_t rows = pass.tokens;
    if (wanted == Logits::last) { // only these rows go on: move them to the front
        rows = pass.sequences;
        for (int64_t s = 0; s < rows; s++) {
            int64_t from = b.seq_start[s + 1] - 1;
            std::copy_n(b.hidden.data + from * b.hidden.stride, config_.hidden,
                        b.hidden.data + s * b.hidden.stride);
            std::copy_n(b.residual.data + from * b.residual.stride, config_.hidden,
                        b.residual.data + s * b.residual.stride);
        }
    }
    if (rows > b.logit_rows) throw Error("batch", "asks for more rows of logits than a pass makes");
    Pass last = pass;
    last.tokens = rows;
    if (config_.final_norm == Norm::rms) {
        norm(last, weights_.final_weight, true);
    } else {
        auto a = arguments<ks_layer_norm_args>();
        fill_norm(a, config_, rows, b, weights_.final_weight, true);
        a.rounding = KS_LAYER_NORM_ROUNDING_NONE;
        a.bias = weights_.final_bias.floats();
        check(ks_layer_norm(library_.get(), &a));
    }
    linear(weights_.head, {}, rows, b.normed, b.logits);
    return b.logits.data;
}

const float *Model::forward(State &state, const Batch &batch, Logits wanted) {
    Pass pass{};
    read_tokens(pass, state, batch);
    for (size_t i = 0; i < config_.layers.size(); i++) layer(pass, state, i);
    for (int s = 0; s < pass.sequences; s++) state.position(pass.first + s) += batch.lengths[s];
    return wanted == Logits::none ? nullptr : head(pass, wanted);
}

const float *Model::prefill(State &state, int slot, const int *tokens, size_t count) {
    const float *logits = nullptr;
    for (size_t at = 0; at < count;) {
        int length = static_cast<int>(std::min<size_t>(count - at, static_cast<size_t>(chunk())));
        Batch piece{slot, 1, tokens + at, &length};
        at += static_cast<size_t>(length);
        logits = forward(state, piece, at == count ? Logits::last : Logits::none);
    }
    return logits;
}

} // namespace ks::model
