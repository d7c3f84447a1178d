// SPDX-License-Identifier: Apache-2.0
// ks op for what carries a state along time: over whole sequences, with the leading axes [B,L], or one step
// of many, [S].
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/cli/op.h"
#include "runtime/model/ops.h"

namespace ks::cli {

namespace {

Shape with(Shape lead, int64_t last) {
    lead.push_back(last);
    return lead;
}

// How many sequences [B,L] steps hold: cut at seq_start where there is one.
template <typename Args>
int64_t set_sequences(Args &a, const Inputs &in, const Shape &lead, std::vector<int64_t> &starts) {
    starts = sequences_of(in, lead[0], lead[1]);
    a.T = lead[0] * lead[1];
    a.sequences = static_cast<int64_t>(starts.size()) - 1;
    a.seq_start = starts.data();
    return a.sequences;
}

// `a` has the leading axes set.
template <typename Args>
std::vector<Result> run_scan(const ks_library &library, const Inputs &in, const Choices &choices, Args &a,
                             const Shape &lead, int64_t sequences, const char *op) {
    int64_t width = in.shape("A", 2, "[D,N]")[0], states = in.shape("A", 2, "[D,N]")[1];
    const Shape wide = with(lead, width), narrow = with(lead, states),
                state_shape = {sequences, width, states};
    const DType io = storage_named(choices.at("io"));
    const auto values = in.floats("u", wide);
    const Stored u(values, io), dt(in.floats("dt", wide), io), z(in.optional("z", wide), io),
        B(in.floats("B", narrow), io), C(in.floats("C", narrow), io),
        y(std::vector<float>(values.size()), io);
    auto A = in.floats("A", {width, states}), D = in.optional("D", {width}),
         bias = in.optional("dt_bias", {width}), h = in.optional("h0", state_shape);
    h.resize(static_cast<size_t>(sequences) * A.size());
    h = swap_axes(h, sequences, width, states);
    AlignedBytes decay = model::pack_decay_of(A, width, states);
    a.D = width;
    a.N = states;
    a.io = static_cast<int64_t>(io); // DType begins f32, bf16, f16, as the op's choices do
    a.u = u.data();
    a.dt = dt.data();
    a.z = z.data();
    a.A = decay.floats();
    a.B = B.data();
    a.C = C.data();
    a.D_skip = D.empty() ? nullptr : D.data();
    a.dt_bias = bias.empty() ? nullptr : bias.data();
    a.state = h.data();
    a.y = y.data();
    a.flags = choices.at("delta") == "softplus" ? 8 : 0;
    run_kernel(library, in, op, &a);
    return {{"y", y.floats(), {}, wide}, {"h_last", swap_axes(h, sequences, states, width), {}, state_shape}};
}

template <typename Args>
std::vector<Result> run_conv(const ks_library &library, const Inputs &in, const Choices &choices, Args &a,
                             const Shape &lead, int64_t sequences, const char *op) {
    int64_t width = in.shape("weight", 2, "[D,W]")[0], taps = in.shape("weight", 2, "[D,W]")[1];
    if (taps < 2 || taps > 4)
        throw Error(in.path(), "weight has " + std::to_string(taps) + " taps, expected 2 to 4");
    const Shape shape = with(lead, width), state_shape = {sequences, width, taps - 1};
    const DType io = storage_named(choices.at("io"));
    auto values = in.floats("x", shape),
         weight = model::transposed(in.floats("weight", {width, taps}), width, taps),
         bias = in.optional("bias", {width}), state = in.optional("state0", state_shape);
    const Stored x(values, io), y(std::vector<float>(values.size()), io);
    state.resize(static_cast<size_t>(sequences * width * (taps - 1)));
    state = swap_axes(state, sequences, width, taps - 1);
    a.D = width;
    a.W = taps - 2; // the choices are 2, 3, 4
    a.io = static_cast<int64_t>(io);
    a.x = x.data();
    a.weight = weight.data();
    a.bias = bias.empty() ? nullptr : bias.data();
    a.state = state.data();
    a.y = y.data();
    a.flags = choices.at("act") == "silu" ? 2 : 0;
    run_kernel(library, in, op, &a);
    return {{"y", y.floats(), {}, shape},
            {"state_last", swap_axes(state, sequences, taps - 1, width), {}, state_shape}};
}

// The axes in front of the last.
Shape lead_of(const Inputs &in, const char *name, size_t rank, const char *axes) {
    Shape shape = in.shape(name, rank, axes);
    shape.pop_back();
    return shape;
}

} // namespace

std::vector<Result> run_selective_scan(const ks_library &library, const Inputs &in, const Choices &choices) {
    auto a = model::arguments<ks_selective_scan_args>();
    Shape lead = lead_of(in, "u", 3, "[B,L,D]");
    std::vector<int64_t> starts;
    int64_t sequences = set_sequences(a, in, lead, starts);
    return run_scan(library, in, choices, a, lead, sequences, "selective_scan");
}

std::vector<Result> run_selective_state_update(const ks_library &library, const Inputs &in,
                                               const Choices &choices) {
    auto a = model::arguments<ks_selective_state_update_args>();
    Shape lead = lead_of(in, "u", 2, "[S,D]");
    a.S = lead[0];
    return run_scan(library, in, choices, a, lead, a.S, "selective_state_update");
}

std::vector<Result> run_causal_conv1d(const ks_library &library, const Inputs &in, const Choices &choices) {
    auto a = model::arguments<ks_causal_conv1d_args>();
    Shape lead = lead_of(in, "x", 3, "[B,L,D]");
    std::vector<int64_t> starts;
    int64_t sequences = set_sequences(a, in, lead, starts);
    return run_conv(library, in, choices, a, lead, sequences, "causal_conv1d");
}

std::vector<Result> run_causal_conv1d_update(const ks_library &library, const Inputs &in,
                                             const Choices &choices) {
    auto a = model::arguments<ks_causal_conv1d_update_args>();
    Shape lead = lead_of(in, "x", 2, "[S,D]");
    a.S = lead[0];
    return run_conv(library, in, choices, a, lead, a.S, "causal_conv1d_update");
}

} // namespace ks::cli
