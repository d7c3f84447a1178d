// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/error.h"
#include "runtime/cli/op.h"
#include "runtime/model/ops.h"

namespace ks::cli {

namespace {

// States between [S, D, N] (files) and [S, N, D] (kernels).
std::vector<float> swap_axes(const std::vector<float> &v, int64_t outer, int64_t rows, int64_t cols) {
    std::vector<float> out;
    out.reserve(v.size());
    for (int64_t o = 0; o < outer; o++) {
        std::vector<float> one(v.begin() + o * rows * cols, v.begin() + (o + 1) * rows * cols);
        one = model::transposed(one, rows, cols);
        out.insert(out.end(), one.begin(), one.end());
    }
    return out;
}

} // namespace

// u, dt, z [B,L,D], A [D,N] negative, B, C [B,L,N], D, dt_bias [D], h0 [B,D,N]; z, D, dt_bias, h0 may be missing.
// With seq_start [S+1] and B = 1 the time axis holds S sequences, and states are [S,D,N].
std::vector<Result> run_selective_scan(const ks_library &library, const Inputs &in) {
    const auto &shape = in.shape("u");
    if (shape.size() != 3) throw Error(in.path(), "u must be [B, L, D]");
    int64_t batch = shape[0], length = shape[1], width = shape[2];
    if (in.shape("A").size() != 2) throw Error(in.path(), "A must be [D, N]");
    int64_t states = in.shape("A")[1];
    std::vector<int64_t> starts;
    if (in.has("seq_start")) {
        if (batch != 1) throw Error(in.path(), "seq_start needs B = 1");
        starts = in.integers("seq_start");
        if (starts.size() < 2) throw Error(in.path(), "seq_start needs two offsets at least");
    } else {
        for (int64_t b = 0; b <= batch; b++) starts.push_back(b * length);
    }
    auto sequences = static_cast<int64_t>(starts.size()) - 1;
    std::vector<int64_t> wide = {batch, length, width}, narrow = {batch, length, states}, state_shape = {sequences, width, states};
    auto u = in.floats("u", wide), dt = in.floats("dt", wide), B = in.floats("B", narrow), C = in.floats("C", narrow);
    std::vector<float> z, D, bias, h(static_cast<size_t>(sequences * width * states));
    if (in.has("z")) z = in.floats("z", wide);
    if (in.has("D")) D = in.floats("D", {width});
    if (in.has("dt_bias")) bias = in.floats("dt_bias", {width});
    if (in.has("h0")) h = in.floats("h0", state_shape);
    h = swap_axes(h, sequences, width, states);
    AlignedBytes decay = model::pack_decay_of(in.floats("A", {width, states}), width, states);

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

} // namespace ks::cli
