// SPDX-License-Identifier: Apache-2.0
// ks op for Sinkhorn balancing and matrix products.
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/cli/op.h"
#include "runtime/model/ops.h"
#include <algorithm>
#include <cmath>

namespace ks::cli {

// One pass as BlackMamba's training code makes it.
std::vector<Result> run_sinkhorn(const ks_library &library, const Inputs &in, const Choices &) {
    const auto &shape = in.shape("logits", 2, "[T,E]");
    int64_t T = shape[0], E = shape[1];
    auto logits = in.floats("logits", shape);
    auto size = [](int64_t n) { return static_cast<size_t>(n); };
    std::vector<float> start(size(E)), d1(size(E)), d0(size(T)), plan(size(T * E)), gate(size(T));
    std::vector<int32_t> index(size(T));
    float change = 0;
    // As coded (in linear space) where its exponentials stay in range, else by logarithms.
    float top = 0, widest = 0;
    for (float v : logits) {
        if (!std::isfinite(v) || std::abs(v) > 1e37f)
            throw Error(in.path(), "logits holds " + std::to_string(v));
        top = std::max(top, v), widest = std::max(widest, std::abs(v));
    }
    bool linear = widest <= 40 && 2 * top + std::log(static_cast<float>(T) * static_cast<float>(E)) <= 87;
    int64_t space = linear ? KS_SINKHORN_PASS_SPACE_LINEAR : KS_SINKHORN_PASS_SPACE_LOG;
    auto s = model::arguments<ks_sinkhorn_start_args>();
    s.T = T, s.E = E, s.space = space, s.logits = logits.data(), s.d1_next = start.data();
    run_kernel(library, in, "sinkhorn_start", &s);
    auto p = model::arguments<ks_sinkhorn_pass_args>();
    p.T = T, p.E = E, p.space = space, p.logits = logits.data(), p.d1 = start.data(), p.d0 = d0.data(),
    p.d1_next = d1.data(), p.change = &change;
    run_kernel(library, in, "sinkhorn_pass", &p);
    auto m = model::arguments<ks_sinkhorn_plan_args>();
    m.T = T, m.E = E, m.space = space, m.logits = logits.data(), m.d0 = d0.data(), m.d1 = d1.data(),
    m.plan = plan.data(), m.index = index.data();
    run_kernel(library, in, "sinkhorn_plan", &m);
    for (int64_t t = 0; t < T; t++)
        gate[size(t)] = 1.f / (1.f + std::exp(-logits[size(t * E + index[size(t)])]));
    return {{"plan", plan, {}, shape}, {"index", {}, index, {T}}, {"gate", gate, {}, {T}}};
}

std::vector<Result> run_linear(const ks_library &library, const Inputs &in, const Choices &choices) {
    int64_t M = in.shape("x", 2, "[M,K]")[0], K = in.shape("x", 2, "[M,K]")[1],
            N = in.shape("w", 2, "[N,K]")[0];
    auto x = in.floats("x", {M, K}), w = in.floats("w", {N, K});
    auto packed = model::pack_matrix(library, "linear", {{"io", "f32"}}, io::tensor_of("w", w, {N, K}),
                                     storage_named(choices.at("weight")));
    AlignedBytes bias;
    if (in.has("bias")) {
        auto values = in.floats("bias", {N});
        bias = model::pack_floats(io::tensor_of("bias", values, {N}), packed.padded());
    }
    std::vector<float> wide(static_cast<size_t>(M * packed.padded())), y;
    auto a = model::arguments<ks_linear_args>();
    a.M = M, a.K = K, a.P = packed.panels;
    a.panel = packed.panel_choice, a.weight = packed.weight_choice;
    a.x = x.data(), a.w = packed.data.data(), a.y = wide.data();
    a.bias = bias.size() ? bias.floats() : nullptr;
    run_kernel(library, in, "linear", &a);
    for (int64_t m = 0; m < M; m++)
        y.insert(y.end(), wide.begin() + m * packed.padded(), wide.begin() + m * packed.padded() + N);
    return {{"y", y, {}, {M, N}}};
}

} // namespace ks::cli
