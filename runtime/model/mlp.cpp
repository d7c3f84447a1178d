// SPDX-License-Identifier: Apache-2.0
// Switch MLP: router, then every expert that got tokens; a dense MLP is the one-expert case without a router.
#include "runtime/model/pass.h"

namespace ks::model {

void Model::mlp(const Pass &pass, size_t i, Rows out) {
    Buffers &b = *buffers_;
    const MlpWeights &w = weights_.layers[i].mlp;
    auto experts = static_cast<int64_t>(w.experts.size());
    if (experts == 1) {
        for (int64_t t = 0; t < pass.tokens; t++) b.scale[t] = 1.f;
        Activations x = activations(w.experts[0].up, pass.tokens, b.normed, b.identity);
        return expert(pass, w.experts[0], pass.tokens, x, b.identity, b.scale, out);
    }
    linear(w.router, w.router_bias, pass.tokens, b.normed, b.router_logits);
    auto a = arguments<ks_router_args>();
    a.T = pass.tokens;
    a.E = experts;
    a.score = KS_ROUTER_SCORE_SIGMOID;
    a.logits = b.router_logits.data;
    a.logits_stride = b.router_logits.stride;
    a.index = b.index;
    a.gate = b.gate;
    a.counts = b.counts;
    a.offsets = b.offsets;
    a.permutation = b.permutation;
    check(ks_router(library_.get(), &a));
    for (int64_t t = 0; t < pass.tokens; t++) b.scale[t] = b.gate[b.permutation[t]];
    // The tokens in the order of their experts.
    Activations sorted = activations(w.experts[0].up, pass.tokens, b.normed, b.permutation);
    for (int64_t e = 0; e < experts; e++) {
        int64_t first = b.offsets[e];
        if (b.counts[e])
            expert(pass, w.experts[static_cast<size_t>(e)], b.counts[e], sorted.from(first),
                   b.permutation + first, b.scale + first, out);
    }
}

// x: the `count` inputs of this expert, side by side; rows: where their results go in `out`.
void Model::expert(const Pass &pass, const Expert &expert, int64_t count, Activations x, const int32_t *rows,
                   const float *scale, Rows out) {
    Buffers &b = *buffers_;
    auto up = arguments<ks_expert_up_args>();
    up.R = count;
    up.K = expert.up.K;
    up.P = expert.up.panels;
    up.io = expert.up.pairs ? KS_EXPERT_UP_IO_BF16 : KS_EXPERT_UP_IO_F32;
    up.weight = expert.up.weight_choice;
    up.panel = expert.up.panel_choice;
    up.act = config_.activation == Activation::silu ? KS_EXPERT_UP_ACT_SILU : KS_EXPERT_UP_ACT_GELU_ERF;
    up.halves = config_.gated ? KS_EXPERT_UP_HALVES_2 : KS_EXPERT_UP_HALVES_1;
    up.x = x.data;
    up.x_stride = x.stride;
    up.w = expert.up.data.data();
    up.h = b.inside.data;
    up.h_stride = b.inside.stride;
    check(ks_expert_up(library_.get(), &up));

    auto down = arguments<ks_expert_down_args>();
    down.T = pass.tokens;
    down.R = count;
    down.K = expert.down.K;
    down.P = expert.down.panels;
    down.io = expert.down.pairs ? KS_EXPERT_DOWN_IO_BF16 : KS_EXPERT_DOWN_IO_F32;
    down.weight = expert.down.weight_choice;
    down.panel = expert.down.panel_choice;
    down.h = b.inside.data;
    down.h_stride = b.inside.stride;
    down.rows = rows;
    down.scale = scale;
    down.w = expert.down.data.data();
    down.y = out.data;
    down.y_stride = out.stride;
    check(ks_expert_down(library_.get(), &down));
}

} // namespace ks::model
