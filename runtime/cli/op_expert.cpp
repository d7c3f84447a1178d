// SPDX-License-Identifier: Apache-2.0
// ks op expert_mlp: the MLP of every token's expert.
#include "runtime/base/error.h"
#include "runtime/cli/common.h"
#include "runtime/cli/op.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"

namespace ks::cli {

namespace {

struct Sizes {
    int64_t T, H, E, F, halves;
    std::string act;
};

// Expert e of a stack [E, rows, cols].
model::PackedMatrix pack(const ks_library &library, const std::string &op,
                         std::map<std::string, std::string> choices, const std::vector<float> &stack,
                         DType type, int64_t e, int64_t rows, int64_t cols, int parts) {
    choices["io"] = "f32"; // as the arrays are
    std::vector<float> one(stack.begin() + e * rows * cols, stack.begin() + (e + 1) * rows * cols);
    return model::pack_matrix(library, op, choices, io::tensor_of(op, one, {rows, cols}), type, parts);
}

// One expert over its tokens `rows` of x; y is [T, down.padded()].
void run_expert(const ks_library &library, const Inputs &in, const Sizes &s, const model::PackedMatrix &up,
                const model::PackedMatrix &down, const std::vector<float> &x,
                const std::vector<int32_t> &rows, const std::vector<float> &scale, std::vector<float> &y) {
    auto count = rows.size();
    std::vector<float> inside(count * static_cast<size_t>(up.padded())),
        gathered(count * static_cast<size_t>(s.H));
    auto g = model::arguments<ks_gather_rows_args>();
    g.T = s.T, g.R = static_cast<int64_t>(count), g.K = s.H;
    g.x = x.data(), g.rows = rows.data(), g.y = gathered.data();
    run_kernel(library, in, "gather_rows", &g);
    auto a = model::arguments<ks_expert_up_args>();
    a.R = static_cast<int64_t>(count), a.K = up.K, a.P = up.panels;
    a.act = choice_index("expert_up", "act", s.act);
    a.halves = s.halves == 2 ? KS_EXPERT_UP_HALVES_2 : KS_EXPERT_UP_HALVES_1;
    a.panel = up.panel_choice, a.weight = up.weight_choice;
    a.x = gathered.data(), a.w = up.data.data();
    a.h = inside.data();
    run_kernel(library, in, "expert_up", &a);
    auto b = model::arguments<ks_expert_down_args>();
    b.T = s.T, b.R = a.R, b.K = down.K, b.P = down.panels;
    b.panel = down.panel_choice, b.weight = down.weight_choice;
    b.h = inside.data(), b.h_stride = up.padded();
    b.rows = rows.data(), b.scale = scale.data(), b.w = down.data.data(), b.y = y.data();
    run_kernel(library, in, "expert_down", &b);
}

} // namespace

std::vector<Result> run_expert_mlp(const ks_library &library, const Inputs &in, const Choices &choices) {
    const auto &shape = in.shape("x", 2, "[T,H]");
    const auto &narrow = in.shape("fc2", 3, "[E,H,F]");
    Sizes s{shape[0], shape[1], narrow[0], narrow[2], 1, choices.at("act")};
    const DType type = storage_named(choices.at("weight"));
    if (in.shape("fc1", 3, "[E,2F,H] or [E,F,H]")[1] == 2 * s.F) s.halves = 2;
    auto x = in.floats("x", shape), fc1 = in.floats("fc1", {s.E, s.halves * s.F, s.H}),
         fc2 = in.floats("fc2", {s.E, s.H, s.F});
    std::vector<int64_t> index(static_cast<size_t>(s.T));
    std::vector<float> gate(index.size(), 1.f);
    if (in.has("index") || s.E > 1) index = in.integers("index");
    if (in.has("gate")) gate = in.floats("gate", {s.T});
    if (index.size() != gate.size())
        throw Error(in.path(),
                    "index has " + std::to_string(index.size()) + " tokens, x has " + std::to_string(s.T));
    for (int64_t e : index)
        if (e < 0 || e >= s.E)
            throw Error(in.path(), "index holds " + std::to_string(e) + ", there are " + std::to_string(s.E) +
                                       " experts");

    std::vector<float> wide, y;
    int64_t padded = 0;
    for (int64_t e = 0; e < s.E; e++) {
        std::vector<int32_t> rows;
        std::vector<float> scale;
        for (size_t t = 0; t < index.size(); t++)
            if (index[t] == e) rows.push_back(static_cast<int32_t>(t)), scale.push_back(gate[t]);
        if (rows.empty()) continue;
        auto up = pack(library, "expert_up", {{"act", s.act}, {"halves", std::to_string(s.halves)}}, fc1,
                       type, e, s.halves * s.F, s.H, static_cast<int>(s.halves));
        auto down = pack(library, "expert_down", {}, fc2, type, e, s.H, s.F, 1);
        padded = down.padded();
        wide.resize(static_cast<size_t>(s.T * padded));
        run_expert(library, in, s, up, down, x, rows, scale, wide);
    }
    for (int64_t t = 0; t < s.T; t++)
        y.insert(y.end(), wide.begin() + t * padded, wide.begin() + t * padded + s.H);
    return {{"y", y, {}, shape}};
}

} // namespace ks::cli
