// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/experts.h"
#include "runtime/model/ops.h"

namespace ks::bench {

ExpertWeights::ExpertWeights(int64_t experts, int64_t width, int64_t hidden)
    : E(experts),
      H(width),
      F(hidden),
      up(uniform(E * 2 * F * H, 2, 0.05f)),
      down(uniform(E * F * H, 3, 0.03f)) {}

ExpertsCall::ExpertsCall(const ks_library &library, const ExpertWeights &w, int64_t tokens, DType dtype)
    : T(tokens),
      E(w.E),
      H(w.H),
      F(w.F),
      x(uniform(T * H, 1, 1.f)),
      scale(uniform(T, 4, 1.f)),
      rows(static_cast<size_t>(E)),
      scales_(static_cast<size_t>(E)),
      gathered_(zeros(T * H)) {
    for (int64_t t = 0; t < T; t++) {
        rows[static_cast<size_t>(t % E)].push_back(static_cast<int>(t));
        scales_[static_cast<size_t>(t % E)].push_back(scale.floats()[t]);
    }
    for (int64_t e = 0; e < E; e++) {
        up_weights.push_back(pack_product(library, "expert_up", {{"act", "silu"}, {"halves", "2"}},
                                          w.up_of(e), 2 * F, H, dtype, 2));
        down_weights.push_back(pack_product(library, "expert_down", {}, w.down_of(e), H, F, dtype));
    }
    hidden_ = zeros(T * up_weights[0].padded());
    y = zeros(T * down_weights[0].padded());
}

void ExpertsCall::run(const ks_library &library) {
    for (size_t e = 0; e < rows.size(); e++) {
        if (rows[e].empty()) continue;
        gather(library, e);
        up(library, e);
        down(library, e);
    }
}

void ExpertsCall::gather(const ks_library &library, size_t e) {
    auto a = model::arguments<ks_gather_rows_args>();
    a.T = T, a.R = static_cast<int64_t>(rows[e].size()), a.K = H;
    a.io = up_weights[e].pairs ? KS_GATHER_ROWS_IO_BF16 : KS_GATHER_ROWS_IO_F32;
    a.x = x.floats(), a.rows = rows[e].data(), a.y = gathered_.data();
    model::check(ks_gather_rows(&library, &a));
}

void ExpertsCall::up(const ks_library &library, size_t e) {
    const model::PackedMatrix &m = up_weights[e];
    auto a = model::arguments<ks_expert_up_args>();
    a.R = static_cast<int64_t>(rows[e].size()), a.K = m.K, a.P = m.panels;
    a.act = KS_EXPERT_UP_ACT_SILU;
    a.halves = KS_EXPERT_UP_HALVES_2;
    a.io = m.pairs ? KS_EXPERT_UP_IO_BF16 : KS_EXPERT_UP_IO_F32;
    a.panel = m.panel_choice, a.weight = m.weight_choice;
    a.x = gathered_.data();
    a.w = m.data.data();
    a.h = hidden_.data(), a.h_stride = m.padded();
    model::check(ks_expert_up(&library, &a));
}

void ExpertsCall::down(const ks_library &library, size_t e) {
    const model::PackedMatrix &m = down_weights[e];
    auto a = model::arguments<ks_expert_down_args>();
    a.T = T, a.R = static_cast<int64_t>(rows[e].size()), a.K = m.K, a.P = m.panels;
    a.io = m.pairs ? KS_EXPERT_DOWN_IO_BF16 : KS_EXPERT_DOWN_IO_F32;
    a.panel = m.panel_choice, a.weight = m.weight_choice;
    a.h = hidden_.data(), a.h_stride = up_weights[e].padded();
    a.rows = rows[e].data();
    a.scale = scales_[e].data();
    a.w = m.data.data();
    a.y = y.floats();
    model::check(ks_expert_down(&library, &a));
}

Work ExpertsCall::up_work(size_t e) const {
    auto r = static_cast<double>(rows[e].size()), h = static_cast<double>(H), f = static_cast<double>(F);
    // Beside the products, silu(gate) * up: exponential, sum, division, product.
    const model::PackedMatrix &m = up_weights[e];
    double bytes = static_cast<double>(m.data.size()) + activation_bytes(m) * r * (h + f);
    return {r * f * (4 * h + 6), r * f, bytes, m.pairs, true};
}

Work ExpertsCall::down_work(size_t e) const {
    auto r = static_cast<double>(rows[e].size()), h = static_cast<double>(H), f = static_cast<double>(F);
    const model::PackedMatrix &m = down_weights[e];
    double bytes = static_cast<double>(m.data.size()) + r * (activation_bytes(m) * f + 4 * h);
    return {r * h * (2 * f + 2), 0, bytes, m.pairs, true};
}

} // namespace ks::bench
