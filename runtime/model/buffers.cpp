// SPDX-License-Identifier: Apache-2.0
#include "runtime/model/buffers.h"
#include <algorithm>

namespace ks::model {

namespace {

int64_t widest(const Weights &w, int64_t least, int64_t (*of)(const LayerWeights &)) {
    for (const auto &l : w.layers) least = std::max(least, of(l));
    return least;
}

// First pass: sizes; second pass: addresses.
class Planner {
  public:
    explicit Planner(std::byte *base) : base_(base) {}
    size_t total() const { return total_; }

    template <typename T>
    T *take(int64_t count) {
        size_t at = total_;
        // Whole lines, then a few more, so that no two arrays fall on the same cache sets.
        total_ += (static_cast<size_t>(count) * sizeof(T) + 63) / 64 * 64 + 3 * 64;
        return base_ ? reinterpret_cast<T *>(base_ + at) : nullptr;
    }
    Rows rows(int64_t count, int64_t width) {
        int64_t stride = (width + 15) / 16 * 16;
        return {take<float>(count * stride), stride};
    }

  private:
    std::byte *base_;
    size_t total_ = 0;
};

} // namespace

Buffers::Buffers(const Config &c, const Weights &w, int64_t token_count, int64_t logit_row_count)
    : tokens(token_count), logit_rows(logit_row_count) {
    int64_t out = widest(w, c.hidden, [](const LayerWeights &l) { return l.mixer.out_proj.padded(); });
    int64_t xz_width = widest(w, 1, [](const LayerWeights &l) { return l.mixer.in_proj.padded(); });
    int64_t projected_width = widest(w, 1, [](const LayerWeights &l) { return l.mixer.x_proj.padded(); });
    int64_t dt_width = widest(w, 1, [](const LayerWeights &l) { return l.mixer.dt_proj.padded(); });
    int64_t router = widest(w, 1, [](const LayerWeights &l) { return l.mlp.router.padded(); });
    int64_t inside_width = widest(w, 1, [](const LayerWeights &l) {
        return l.mlp.experts.empty() ? int64_t{1} : l.mlp.experts[0].up.padded();
    });
    out = std::max(out, widest(w, 1, [](const LayerWeights &l) {
                       return l.mlp.experts.empty() ? int64_t{1} : l.mlp.experts[0].down.padded();
                   }));
    bool mlp = inside_width > 1;
    auto plan = [&](Planner &p) {
        hidden = p.rows(tokens, out);
        residual = p.rows(tokens, c.hidden);
        normed = p.rows(tokens, c.hidden);
        branch = p.rows(tokens, out);
        xz = p.rows(tokens, xz_width);
        conv = p.rows(tokens, c.inner);
        projected = p.rows(tokens, projected_width);
        dt = p.rows(tokens, dt_width);
        scanned = p.rows(tokens, c.inner);
        router_logits = p.rows(tokens, router);
        taken = p.rows(tokens, std::max<int64_t>(c.hidden, c.inner));
        inside = p.rows(mlp ? tokens : 1, inside_width);
        logits = p.rows(logit_rows, w.head.padded());
        gate = p.take<float>(tokens);
        scale = p.take<float>(tokens);
        ids = p.take<int32_t>(tokens);
        index = p.take<int32_t>(tokens);
        counts = p.take<int32_t>(256);
        offsets = p.take<int32_t>(257);
        permutation = p.take<int32_t>(tokens);
        identity = p.take<int32_t>(tokens);
        seq_start = p.take<int64_t>(tokens + 1);
    };
    Planner sizes(nullptr);
    plan(sizes);
    arena_ = AlignedBytes(sizes.total());
    Planner places(arena_.data());
    plan(places);
    for (int64_t i = 0; i < tokens; i++) identity[i] = static_cast<int32_t>(i);
}

} // namespace ks::model
