// SPDX-License-Identifier: Apache-2.0
// The Mamba mixer: in_proj, causal convolution, x_proj, dt_proj, selective scan, out_proj (arXiv 2312.00752).
#include "runtime/model/pass.h"

namespace ks::model {

void Model::mixer(const Pass &pass, State &state, size_t i, Rows out) {
    Buffers &b = *buffers_;
    const MixerWeights &w = weights_.layers[i].mixer;
    linear(*library_, w.in_proj, w.in_bias, pass.tokens, b.normed, b.xz);
    convolve(pass, state, i);
    linear(*library_, w.x_proj, {}, pass.tokens, b.conv, b.projected);
    linear(*library_, w.dt_proj, {}, pass.tokens, b.projected, b.dt); // its bias is added inside the scan
    scan(pass, state, i);
    linear(*library_, w.out_proj, w.out_bias, pass.tokens, b.scanned, out);
}

namespace {

// Fields that the scan over a sequence and the step of many have in common.
template <typename Args> void fill_conv(Args &a, const Config &c, const MixerWeights &w, const Buffers &b, float *state) {
    a.D = c.inner;
    a.W = c.conv_width - 2; // the choices are 2, 3, 4
    a.x = b.xz.data;
    a.x_stride = b.xz.stride;
    a.weight = w.conv_weight.floats();
    a.bias = w.conv_bias.size() ? w.conv_bias.floats() : nullptr;
    a.state = state;
    a.y = b.conv.data;
    a.y_stride = b.conv.stride;
    a.flags = 2; // silu
}

template <typename Args> void fill_scan(Args &a, const Config &c, const MixerWeights &w, const Buffers &b, float *state) {
    a.D = c.inner;
    a.N = c.state;
    a.u = b.conv.data;
    a.u_stride = b.conv.stride;
    a.dt = b.dt.data;
    a.dt_stride = b.dt.stride;
    a.z = b.xz.data + c.inner;
    a.z_stride = b.xz.stride;
    a.A = w.decay.floats();
    a.B = b.projected.data + c.dt_rank;
    a.B_stride = b.projected.stride;
    a.C = b.projected.data + c.dt_rank + c.state;
    a.C_stride = b.projected.stride;
    a.D_skip = w.skip.floats();
    a.dt_bias = w.dt_bias.floats();
    a.state = state;
    a.y = b.scanned.data;
    a.y_stride = b.scanned.stride;
    a.flags = 8; // softplus
}

} // namespace

void Model::convolve(const Pass &pass, State &state, size_t i) {
    const MixerWeights &w = weights_.layers[i].mixer;
    float *conv = state.conv(i, pass.first);
    if (pass.step()) {
        auto a = arguments<ks_causal_conv1d_update_args>();
        fill_conv(a, config_, w, *buffers_, conv);
        a.S = pass.sequences;
        return check(ks_causal_conv1d_update(library_.get(), &a));
    }
    auto a = arguments<ks_causal_conv1d_args>();
    fill_conv(a, config_, w, *buffers_, conv);
    a.T = pass.tokens;
    a.sequences = pass.sequences;
    a.seq_start = buffers_->seq_start;
    check(ks_causal_conv1d(library_.get(), &a));
}

void Model::scan(const Pass &pass, State &state, size_t i) {
    const MixerWeights &w = weights_.layers[i].mixer;
    float *states = state.scan(i, pass.first);
    if (pass.step()) {
        auto a = arguments<ks_selective_state_update_args>();
        fill_scan(a, config_, w, *buffers_, states);
        a.S = pass.sequences;
        return check(ks_selective_state_update(library_.get(), &a));
    }
    auto a = arguments<ks_selective_scan_args>();
    fill_scan(a, config_, w, *buffers_, states);
    a.T = pass.tokens;
    a.sequences = pass.sequences;
    a.seq_start = buffers_->seq_start;
    check(ks_selective_scan(library_.get(), &a));
}

} // namespace ks::model
