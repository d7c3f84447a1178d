// SPDX-License-Identifier: Apache-2.0
// The Mamba mixer: in_proj, causal convolution, x_proj, dt_proj, selective scan, out_proj (arXiv 2312.00752).
#include "runtime/model/pass.h"

namespace ks::model {

void Model::mixer(const Pass &pass, State &state, size_t i, Rows out) {
    Buffers &b = *buffers_;
    const MixerWeights &w = weights_.layers[i].mixer;
    linear(w.in_proj, w.in_bias, pass.tokens, b.normed, b.xz);
    convolve(pass, state, i);
    linear(w.x_proj, {}, pass.tokens, b.conv, b.projected);
    linear(w.dt_proj, {}, pass.tokens, b.projected, b.dt); // its bias is added inside the scan
    scan(pass, state, i);
    linear(w.out_proj, w.out_bias, pass.tokens, b.scanned, out);
}

template <typename Step, typename Whole, typename Fill>
void Model::advance(const Pass &pass, Fill fill, ks_status (*step)(const ks_library *, const Step *),
                    ks_status (*whole)(const ks_library *, const Whole *)) {
    if (pass.step()) {
        auto a = arguments<Step>();
        fill(a);
        a.S = pass.sequences;
        return check(step(library_.get(), &a));
    }
    auto a = arguments<Whole>();
    fill(a);
    a.T = pass.tokens;
    a.sequences = pass.sequences;
    a.seq_start = buffers_->seq_start;
    check(whole(library_.get(), &a));
}

void Model::convolve(const Pass &pass, State &state, size_t i) {
    const MixerWeights &w = weights_.layers[i].mixer;
    const Buffers &b = *buffers_;
    auto fill = [&](auto &a) {
        a.D = config_.inner;
        a.W = config_.conv_width - 2; // the choices are 2, 3, 4
        a.x = b.xz.data;
        a.x_stride = b.xz.stride;
        a.weight = w.conv_weight.floats();
        a.bias = w.conv_bias.size() ? w.conv_bias.floats() : nullptr;
        a.state = state.conv(i, pass.first);
        a.y = b.conv.data;
        a.y_stride = b.conv.stride;
        a.flags = 2; // silu
    };
    advance(pass, fill, ks_causal_conv1d_update, ks_causal_conv1d);
}

void Model::scan(const Pass &pass, State &state, size_t i) {
    const MixerWeights &w = weights_.layers[i].mixer;
    const Buffers &b = *buffers_;
    auto fill = [&](auto &a) {
        a.D = config_.inner;
        a.N = config_.state;
        a.u = b.conv.data;
        a.u_stride = b.conv.stride;
        a.dt = b.dt.data;
        a.dt_stride = b.dt.stride;
        a.z = b.xz.data + config_.inner;
        a.z_stride = b.xz.stride;
        a.A = w.decay.floats();
        a.B = b.projected.data + config_.dt_rank;
        a.B_stride = b.projected.stride;
        a.C = b.projected.data + config_.dt_rank + config_.state;
        a.C_stride = b.projected.stride;
        a.D_skip = w.skip.floats();
        a.dt_bias = w.dt_bias.floats();
        a.state = state.scan(i, pass.first);
        a.y = b.scanned.data;
        a.y_stride = b.scanned.stride;
        a.flags = 8; // softplus
    };
    advance(pass, fill, ks_selective_state_update, ks_selective_scan);
}

} // namespace ks::model
