// SPDX-License-Identifier: Apache-2.0
// ks op for what works row by row: norms, the router and its tiles, sums and embeddings.
#include "runtime/base/error.h"
#include "runtime/base/tiles.h"
#include "runtime/cli/common.h"
#include "runtime/cli/op.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"

namespace ks::cli {

namespace {

template <typename Args>
std::vector<Result> run_norm(const ks_library &library, const Inputs &in, Args &a, const char *op) {
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
    run_kernel(library, in, op, &a);
    return {{"y", y, {}, shape}, {"residual", residual, {}, shape}};
}

// An array of one number from 1 to `most`.
int64_t number(const Inputs &in, const std::string &name, int64_t most) {
    auto values = in.integers(name);
    if (values.size() != 1 || values[0] < 1 || values[0] > most)
        throw Error(in.path(), name + " is not one number from 1 to " + std::to_string(most));
    return values[0];
}

std::vector<int32_t> narrow(const std::vector<int64_t> &v) { return {v.begin(), v.end()}; }

// Throws ks::Error unless a router could have made them: every token once, expert after expert.
void check_groups(const Inputs &in, const std::vector<int64_t> &counts, const std::vector<int64_t> &offsets,
                  const std::vector<int64_t> &permutation) {
    auto tokens = static_cast<int64_t>(permutation.size());
    bool right = !counts.empty() && offsets.size() == counts.size() + 1 && offsets[0] == 0;
    for (size_t e = 0; right && e < counts.size(); e++) // ascending up to `tokens`: no difference overflows
        right = offsets[e + 1] >= offsets[e] && offsets[e + 1] - offsets[e] == counts[e];
    right = right && offsets.back() == tokens;
    std::vector<bool> seen(permutation.size());
    for (size_t i = 0; right && i < permutation.size(); i++) {
        int64_t token = permutation[i];
        right = token >= 0 && token < tokens && !seen[static_cast<size_t>(token)];
        if (right) seen[static_cast<size_t>(token)] = true;
    }
    if (!right) throw Error(in.path(), "counts, offsets and permutation are not those of one routing");
}

} // namespace

std::vector<Result> run_rms_norm(const ks_library &library, const Inputs &in, const Choices &choices) {
    auto a = model::arguments<ks_rms_norm_args>();
    a.rounding = choice_index("rms_norm", "rounding", choices.at("rounding"));
    return run_norm(library, in, a, "rms_norm");
}

std::vector<Result> run_layer_norm(const ks_library &library, const Inputs &in, const Choices &choices) {
    auto bias = in.floats("bias", {in.shape("hidden", 2, "[T,H]")[1]});
    auto a = model::arguments<ks_layer_norm_args>();
    a.bias = bias.data();
    a.rounding = choice_index("layer_norm", "rounding", choices.at("rounding"));
    return run_norm(library, in, a, "layer_norm");
}

std::vector<Result> run_router(const ks_library &library, const Inputs &in, const Choices &choices) {
    const auto &shape = in.shape("logits", 2, "[T,E]");
    auto logits = in.floats("logits", shape);
    auto T = static_cast<size_t>(shape[0]), E = static_cast<size_t>(shape[1]);
    std::vector<int32_t> index(T), counts(E), offsets(E + 1), permutation(T);
    std::vector<float> gate(T);
    auto a = model::arguments<ks_router_args>();
    a.T = shape[0];
    a.E = shape[1];
    a.score = choice_index("router", "score", choices.at("score"));
    a.logits = logits.data();
    a.index = index.data();
    a.gate = gate.data();
    a.counts = counts.data();
    a.offsets = offsets.data();
    a.permutation = permutation.data();
    run_kernel(library, in, "router", &a);
    return {{"index", {}, index, {a.T}},
            {"gate", gate, {}, {a.T}},
            {"counts", {}, counts, {a.E}},
            {"offsets", {}, offsets, {a.E + 1}},
            {"permutation", {}, permutation, {a.T}}};
}

std::vector<Result> run_expert_tiles(const ks_library &library, const Inputs &in, const Choices &) {
    auto groups = in.integers("counts"), starts = in.integers("offsets"), tokens = in.integers("permutation");
    check_groups(in, groups, starts, tokens);
    auto counts = narrow(groups), offsets = narrow(starts), permutation = narrow(tokens);
    auto a = model::arguments<ks_expert_tiles_args>();
    a.T = static_cast<int64_t>(permutation.size());
    a.E = static_cast<int64_t>(counts.size());
    a.B = number(in, "slots", 256);
    a.G = in.has("tiles") ? number(in, "tiles", 1 << 24) : most_tiles(a.T, a.E, a.B);
    std::vector<int32_t> rows(static_cast<size_t>(a.G * a.B)), experts(rows.size());
    a.counts = counts.data(), a.offsets = offsets.data(), a.permutation = permutation.data();
    a.rows = rows.data(), a.experts = experts.data();
    run_kernel(library, in, "expert_tiles", &a);
    return {{"rows", {}, rows, {a.G, a.B}}, {"experts", {}, experts, {a.G, a.B}}};
}

std::vector<Result> run_add(const ks_library &library, const Inputs &in, const Choices &) {
    const Shape &shape = in.shape("a", 2, "[T,H]");
    auto first = in.floats("a", shape), second = in.floats("b", shape);
    auto a = model::arguments<ks_add_args>();
    a.T = shape[0];
    a.H = shape[1];
    a.a = a.y = first.data();
    a.b = second.data();
    run_kernel(library, in, "add", &a);
    return {{"y", first, {}, shape}};
}

std::vector<Result> run_embedding(const ks_library &library, const Inputs &in, const Choices &choices) {
    const Shape &shape = in.shape("table", 2, "[V,H]");
    const DType type = storage_named(choices.at("weight"));
    const Stored table(in.floats("table", shape), type);
    std::vector<int32_t> ids;
    for (int64_t id : in.integers("ids")) {
        if (id < 0 || id >= shape[0])
            throw Error(in.path(), "ids holds " + std::to_string(id) + ", the table has " +
                                       std::to_string(shape[0]) + " rows");
        ids.push_back(static_cast<int32_t>(id));
    }
    auto a = model::arguments<ks_embedding_args>();
    a.T = static_cast<int64_t>(ids.size());
    a.V = shape[0];
    a.H = shape[1];
    a.weight = choice_index("embedding", "weight", choices.at("weight"));
    std::vector<float> y(static_cast<size_t>(a.T * a.H));
    a.ids = ids.data();
    a.table = table.data();
    a.y = y.data();
    run_kernel(library, in, "embedding", &a);
    return {{"y", y, {}, {a.T, a.H}}};
}

} // namespace ks::cli
