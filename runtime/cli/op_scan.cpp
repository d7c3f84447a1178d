// SPDX-License-Identifier: Apache-2.0
// ks op for what carries a state along time.
#include "runtime/base/error.h"
#include "runtime/cli/op.h"
#include "runtime/model/ops.h"

namespace ks::cli {

// u, dt, z [B,L,D], A [D,N] negative, B, C [B,L,N], D, dt_bias [D], h0 [B,D,N]; z, D, dt_bias, h0 may be
// missing. With seq_start [S+1] and B = 1 the time axis holds S sequences, and states are [S,D,N].
std::vector<Result> run_selective_scan(const ks_library &library, const Inputs &in) {
    const auto &shape = in.shape("u", 3, "[B,L,D]");
    int64_t batch = shape[0], length = shape[1], width = shape[2], states = in.shape("A", 2, "[D,N]")[1];
    std::vector<int64_t> starts = sequences_of(in, batch, length);
    auto sequences = static_cast<int64_t>(starts.size()) - 1;
    std::vector<int64_t> wide = {batch, length, width}, narrow = {batch, length, states},
                         state_shape = {sequences, width, states};
    auto u = in.floats("u", wide), dt = in.floats("dt", wide), B = in.floats("B", narrow),
         C = in.floats("C", narrow);
    auto A = in.floats("A", {width, states});
    std::vector<float> z, D, bias, h(static_cast<size_t>(sequences) * A.size());
    if (in.has("z")) z = in.floats("z", wide);
    if (in.has("D")) D = in.floats("D", {width});
    if (in.has("dt_bias")) bias = in.floats("dt_bias", {width});
    if (in.has("h0")) h = in.floats("h0", state_shape);
    h = swap_axes(h, sequences, width, states);
    AlignedBytes decay = model::pack_decay_of(A, width, states);

    std::vector<float> y(u.size());
    auto a = model::arguments<ks_selective_scan_args>();
    a.T = batch * length;
    a.D = width;
    a.N = states;
    a.io = KS_SELECTIVE_SCAN_IO_F32;
    a.sequences = sequences;
    a.seq_start = starts.data();
    a.u = u.data();
    a.dt = dt.data();
    a.z = z.empty() ? nullptr : z.data();
    a.A = decay.floats();
    a.B = B.data();
    a.C = C.data();
    a.D_skip = D.empty() ? nullptr : D.data();
    a.dt_bias = bias.empty() ? nullptr : bias.data();
    a.state = h.data();
    a.y = y.data();
    a.flags = 8; // softplus
    if (ks_selective_scan(&library, &a) != KS_OK) throw Error(in.path(), ks_last_error());
    return {{"y", y, {}, wide}, {"h_last", swap_axes(h, sequences, states, width), {}, state_shape}};
}

// x [B,L,D], weight [D,W] of 2 to 4 taps, bias [D], state0 [B,D,W-1] (the last inputs, oldest first; bias and
// state0 may be missing), seq_start as above -> y [B,L,D] after SiLU and state_last [B,D,W-1].
std::vector<Result> run_causal_conv1d(const ks_library &library, const Inputs &in) {
    const auto &shape = in.shape("x", 3, "[B,L,D]");
    int64_t batch = shape[0], length = shape[1], width = shape[2], taps = in.shape("weight", 2, "[D,W]")[1];
    if (taps < 2 || taps > 4)
        throw Error(in.path(), "weight has " + std::to_string(taps) + " taps, expected 2 to 4");
    std::vector<int64_t> starts = sequences_of(in, batch, length);
    auto sequences = static_cast<int64_t>(starts.size()) - 1;
    std::vector<int64_t> state_shape = {sequences, width, taps - 1};
    auto x = in.floats("x", shape),
         weight = model::transposed(in.floats("weight", {width, taps}), width, taps);
    std::vector<float> bias, y(x.size()), state(static_cast<size_t>(sequences * width * (taps - 1)));
    if (in.has("bias")) bias = in.floats("bias", {width});
    if (in.has("state0")) state = in.floats("state0", state_shape);
    state = swap_axes(state, sequences, width, taps - 1);

    auto a = model::arguments<ks_causal_conv1d_args>();
    a.T = batch * length;
    a.D = width;
    a.W = taps - 2; // KS_CAUSAL_CONV1D_W_2 is 0
    a.io = KS_CAUSAL_CONV1D_IO_F32;
    a.sequences = sequences;
    a.seq_start = starts.data();
    a.x = x.data();
    a.weight = weight.data();
    a.bias = bias.empty() ? nullptr : bias.data();
    a.state = state.data();
    a.y = y.data();
    a.flags = 2; // SiLU
    if (ks_causal_conv1d(&library, &a) != KS_OK) throw Error(in.path(), ks_last_error());
    return {{"y", y, {}, shape},
            {"state_last", swap_axes(state, sequences, taps - 1, width), {}, state_shape}};
}

} // namespace ks::cli
