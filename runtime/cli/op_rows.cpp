// SPDX-License-Identifier: Apache-2.0
// ks op for what works row by row: norms and the router.
#include "runtime/base/error.h"
#include "runtime/cli/op.h"
#include "runtime/model/ops.h"

namespace ks::cli {

namespace {

// hidden, residual (may be missing) [T,H], weight [H], eps [1] (may be missing: 1e-5) -> y, residual [T,H].
template <typename Args, typename Call>
std::vector<Result> run_norm(const ks_library &library, const Inputs &in, Args &a, Call call) {
    const auto &shape = in.shape("hidden", 2, "[T,H]");
    auto hidden = in.floats("hidden", shape), weight = in.floats("weight", {shape[1]});
    std::vector<float> residual(hidden.size()), y(hidden.size());
    if (in.has("residual")) residual = in.floats("residual", shape);
    a.T = shape[0];
    a.H = shape[1];
    a.hidden = hidden.data();
    a.residual = residual.data();
    a.weight = weight.data();
    a.y = y.data();
    a.flags = in.has("residual") ? 1 : 0;
    a.eps = in.has("eps") ? static_cast<double>(in.floats("eps", {1})[0]) : 1e-5;
    if (call(&library, &a) != KS_OK) throw Error(in.path(), ks_last_error());
    return {{"y", y, {}, shape}, {"residual", residual, {}, shape}};
}

} // namespace

std::vector<Result> run_rms_norm(const ks_library &library, const Inputs &in) {
    auto a = model::arguments<ks_rms_norm_args>();
    return run_norm(library, in, a, ks_rms_norm);
}

// As rms_norm, with bias [H].
std::vector<Result> run_layer_norm(const ks_library &library, const Inputs &in) {
    auto bias = in.floats("bias", {in.shape("hidden", 2, "[T,H]")[1]});
    auto a = model::arguments<ks_layer_norm_args>();
    a.bias = bias.data();
    return run_norm(library, in, a, ks_layer_norm);
}

// logits [T,E] -> index, gate (sigmoid) [T], counts [E], offsets [E+1], permutation [T].
std::vector<Result> run_router(const ks_library &library, const Inputs &in) {
    const auto &shape = in.shape("logits", 2, "[T,E]");
    auto logits = in.floats("logits", shape);
    auto T = static_cast<size_t>(shape[0]), E = static_cast<size_t>(shape[1]);
    std::vector<int32_t> index(T), counts(E), offsets(E + 1), permutation(T);
    std::vector<float> gate(T);
    auto a = model::arguments<ks_router_args>();
    a.T = shape[0];
    a.E = shape[1];
    a.score = KS_ROUTER_SCORE_SIGMOID;
    a.logits = logits.data();
    a.index = index.data();
    a.gate = gate.data();
    a.counts = counts.data();
    a.offsets = offsets.data();
    a.permutation = permutation.data();
    if (ks_router(&library, &a) != KS_OK) throw Error(in.path(), ks_last_error());
    return {{"index", {}, index, {a.T}},
            {"gate", gate, {}, {a.T}},
            {"counts", {}, counts, {a.E}},
            {"offsets", {}, offsets, {a.E + 1}},
            {"permutation", {}, permutation, {a.T}}};
}

} // namespace ks::cli
