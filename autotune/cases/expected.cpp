// SPDX-License-Identifier: Apache-2.0
// From a problem to the double-precision oracles: the layouts of the contracts are undone here, in plain
// loops.
#include "autotune/cases/oracle_parts.h"
#include "autotune/cases/problem.h"
#include "generators/flags.h"
#include "runtime/base/error.h"
#include "tests/oracles/activations.h"
#include "tests/oracles/argmax.h"
#include "tests/oracles/causal_conv1d.h"
#include "tests/oracles/embedding.h"
#include "tests/oracles/expert_tiles.h"
#include "tests/oracles/norm.h"
#include "tests/oracles/router.h"
#include "tests/oracles/sinkhorn.h"
#include <cmath>

namespace ks::cases {

namespace {

Values given(const Problem &p, const std::string &name) {
    auto found = p.in.find(name);
    return found == p.in.end() ? Values() : found->second;
}

std::vector<int> whole(const Values &v) { return {v.begin(), v.end()}; }
Values real(const std::vector<int> &v) { return {v.begin(), v.end()}; }
size_t extent(const Problem &p, const std::string &name) { return static_cast<size_t>(p.value(name)); }

// [outer][a][b] -> [outer][b][a]
Values swapped(const Values &v, size_t outer, size_t a, size_t b) {
    Values out(v.size());
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < a; i++)
            for (size_t j = 0; j < b; j++) out[(o * b + j) * a + i] = v[(o * a + i) * b + j];
    return out;
}

std::vector<int> sequences_of(const Problem &p) {
    if (!p.seq_start.empty()) return p.seq_start;
    return {0, static_cast<int>(p.value("T"))};
}

Results scan(const Problem &p) {
    bool update = p.contract->name == "selective_state_update";
    size_t D = extent(p, "D"), N = extent(p, "N");
    size_t S = update ? extent(p, "S") : static_cast<size_t>(p.sequences());
    oracle::SelectiveScan a;
    a.channels = static_cast<int>(D);
    a.states = static_cast<int>(N);
    a.softplus = p.flags & scan_softplus;
    a.u = given(p, "u"), a.dt = given(p, "dt"), a.z = given(p, "z");
    a.B = given(p, "B"), a.C = given(p, "C");
    a.D = given(p, "D_skip"), a.dt_bias = given(p, "dt_bias");
    a.A = swapped(given(p, "A"), 1, N, D);
    for (double &v : a.A) v /= M_LOG2E;
    a.h = swapped(given(p, "state"), S, N, D);
    if (!update) a.seq_start = sequences_of(p);
    Values y = scan_in_parts(a, update);
    return {{"y", y}, {"state", swapped(a.h, S, D, N)}};
}

Results conv(const Problem &p) {
    bool update = p.contract->name == "causal_conv1d_update";
    size_t D = extent(p, "D"), W = extent(p, "W");
    size_t S = update ? extent(p, "S") : static_cast<size_t>(p.sequences());
    oracle::CausalConv1d a;
    a.channels = static_cast<int>(D);
    a.width = static_cast<int>(W);
    a.silu = p.flags & conv_silu;
    if (!update)
        a.seq_start = sequences_of(p);
    else
        for (size_t s = 0; s <= S; s++) a.seq_start.push_back(static_cast<int>(s));
    a.x = given(p, "x"), a.bias = given(p, "bias");
    a.weight = swapped(given(p, "weight"), 1, W, D);
    a.state = swapped(given(p, "state"), S, W - 1, D);
    Values y = oracle::causal_conv1d(a);
    return {{"y", y}, {"state", swapped(a.state, S, D, W - 1)}};
}

// The residual is rounded to f32 once, then everything else is in double precision.
Results norm(const Problem &p) {
    const std::string &rounding = p.choices.at("rounding");
    std::string to = rounding.substr(rounding.rfind('_') + 1);
    oracle::NormOptions o;
    o.eps = static_cast<float>(p.eps);
    o.sum = o.output = to == "bf16"  ? oracle::Rounding::bf16
                       : to == "f16" ? oracle::Rounding::f16
                                     : oracle::Rounding::none;
    if (rounding.rfind("hf_", 0) == 0) o.normalised = o.sum;
    Values sum = given(p, "hidden"), residual = given(p, "residual"), weight = given(p, "weight");
    for (size_t i = 0; i < sum.size(); i++)
        if (p.flags & norm_add) sum[i] = static_cast<float>(sum[i] + residual[i]);
    Values y = p.contract->name == "rms_norm" ? oracle::rms_norm(sum, nullptr, weight, o)
                                              : oracle::layer_norm(sum, nullptr, weight, given(p, "bias"), o);
    return {{"residual", sum}, {"y", y}};
}

// Part `part` of packed panels as a plain [P * lanes, K] matrix.
Values matrix(const Problem &p, size_t parts, size_t part) {
    size_t P = extent(p, "P"), K = extent(p, "K"), lanes = extent(p, "panel");
    size_t paired = p.choices.at("io") == "bf16" ? K / 2 * 2 : 0; // k below it lie side by side in twos
    const Values &w = p.in.at("w");
    Values out(P * lanes * K);
    for (size_t n = 0; n < P * lanes; n++)
        for (size_t k = 0; k < K; k++) {
            size_t width = k < paired ? 2 : 1, row = k / width * width;
            size_t at = (row * parts + part * width) * lanes + n % lanes * width + k % width;
            out[n * K + k] = w[n / lanes * K * parts * lanes + at];
        }
    return out;
}

Results linear(const Problem &p) {
    return {{"y", linear_in_parts(given(p, "x"), matrix(p, 1, 0), static_cast<int>(p.value("K")),
                                  given(p, "bias"))}};
}

Results expert_up(const Problem &p) {
    size_t halves = extent(p, "halves");
    int K = static_cast<int>(p.value("K"));
    auto act = p.choices.at("act") == "silu" ? oracle::Activation::silu : oracle::Activation::gelu_erf;
    Values h = linear_in_parts(given(p, "x"), matrix(p, halves, 0), K);
    for (double &v : h) v = oracle::activate(v, act);
    if (halves == 1) return {{"h", h}};
    Values up = linear_in_parts(given(p, "x"), matrix(p, 2, 1), K);
    for (size_t i = 0; i < h.size(); i++) h[i] *= up[i];
    return {{"h", h}};
}

Results expert_down(const Problem &p) {
    Values product = linear_in_parts(given(p, "h"), matrix(p, 1, 0), static_cast<int>(p.value("K")));
    Values y = given(p, "y"); // rows that are not listed keep their values
    size_t width = extent(p, "P") * extent(p, "panel");
    std::vector<int> rows = whole(given(p, "rows"));
    for (size_t r = 0; r < rows.size(); r++)
        for (size_t i = 0; i < width; i++)
            y[static_cast<size_t>(rows[r]) * width + i] = product[r * width + i] * p.in.at("scale")[r];
    return {{"y", y}};
}

// Row `row` of a matrix, or several below each other.
Values rows_of(const Values &m, size_t row, size_t width, size_t count = 1) {
    auto from = m.begin() + static_cast<std::ptrdiff_t>(row * width);
    return {from, from + static_cast<std::ptrdiff_t>(count * width)};
}

// Calls use(slot, product) for every slot in use that does not repeat the one before it: the row
// input(slot) times the weights [columns, K] of its expert.
template <typename Input, typename Use>
void each_slot(const Problem &p, size_t columns, const Input &input, const Use &use) {
    const Values &experts = p.in.at("experts"), &rows = p.in.at("rows");
    size_t K = extent(p, "K");
    Values weights;
    for (size_t slot = 0, B = extent(p, "B"); slot < rows.size(); slot++) {
        if (experts[slot] < 0) continue;
        if (slot % B == 0)
            weights = rows_of(p.in.at("w"), static_cast<size_t>(experts[slot]) * columns, K, columns);
        else if (rows[slot] == rows[slot - 1])
            continue;
        use(slot, linear_in_parts(input(slot), weights, static_cast<int>(K)));
    }
}

Results grouped_expert_up(const Problem &p) {
    size_t K = extent(p, "K"), F = extent(p, "F"), halves = extent(p, "halves"), B = extent(p, "B");
    auto act = p.choices.at("act") == "silu" ? oracle::Activation::silu : oracle::Activation::gelu_erf;
    const Values &rows = p.in.at("rows");
    Values h = given(p, "h"); // tiles that are not used keep theirs
    each_slot(
        p, halves * F, [&](size_t slot) { return rows_of(p.in.at("x"), static_cast<size_t>(rows[slot]), K); },
        [&](size_t slot, const Values &both) {
            for (size_t f = 0; f < F; f++)
                h[slot * F + f] = oracle::activate(both[f], act) * (halves == 2 ? both[F + f] : 1);
            for (size_t next = slot + 1; next % B && rows[next] == rows[slot]; next++)
                for (size_t f = 0; f < F; f++) h[next * F + f] = h[slot * F + f];
        });
    return {{"h", h}};
}

Results grouped_expert_down(const Problem &p) {
    size_t K = extent(p, "K"), N = extent(p, "N");
    Values y = given(p, "y"); // rows of no slot keep theirs
    each_slot(
        p, N, [&](size_t slot) { return rows_of(p.in.at("h"), slot, K); },
        [&](size_t slot, const Values &product) {
            auto row = static_cast<size_t>(p.in.at("rows")[slot]);
            for (size_t n = 0; n < N; n++) y[row * N + n] = product[n] * p.in.at("scale")[row];
        });
    return {{"y", y}};
}

Results router(const Problem &p) {
    auto gate = p.choices.at("score") == "softmax" ? oracle::Gate::softmax : oracle::Gate::sigmoid;
    oracle::Routing r = oracle::route_top1(given(p, "logits"), static_cast<int>(p.value("E")), gate);
    return {{"index", real(r.index)},
            {"gate", r.gate},
            {"counts", real(r.groups.counts)},
            {"offsets", real(r.groups.offsets)},
            {"permutation", real(r.groups.permutation)}};
}

Results expert_tiles(const Problem &p) {
    oracle::Grouping groups{whole(given(p, "counts")), whole(given(p, "offsets")),
                            whole(given(p, "permutation"))};
    oracle::ExpertTiles tiles =
        oracle::expert_tiles(groups, static_cast<int>(p.value("B")), static_cast<int>(p.value("G")));
    return {{"rows", real(tiles.rows)}, {"experts", real(tiles.experts)}};
}

Results sinkhorn(const Problem &p) {
    bool log = p.choices.at("space") == "log";
    Values logits = given(p, "logits");
    if (p.contract->name == "sinkhorn_start")
        return {{"d1_next", oracle::sinkhorn_start(logits, static_cast<int>(p.value("E")), log)}};
    if (p.contract->name == "sinkhorn_pass") {
        oracle::SinkhornScales s = oracle::sinkhorn_pass(logits, given(p, "d1"), log);
        return {{"d0", s.d0}, {"d1_next", s.d1}, {"change", {s.change}}};
    }
    Values plan = oracle::sinkhorn_plan(logits, {given(p, "d0"), given(p, "d1"), 0}, log), index;
    size_t E = extent(p, "E");
    for (size_t row = 0; row < plan.size(); row += E)
        index.push_back(static_cast<double>(oracle::argmax(&plan[row], E)));
    return {{"plan", plan}, {"index", index}};
}

Results add(const Problem &p) {
    Values y = given(p, "a");
    for (size_t i = 0; i < y.size(); i++) y[i] = static_cast<float>(y[i] + p.in.at("b")[i]);
    return {{"y", y}};
}

Results picked(const Problem &p, const char *table, const char *rows, const char *width) {
    return {
        {"y", oracle::embedding(whole(given(p, rows)), given(p, table), static_cast<int>(p.value(width)))}};
}

} // namespace

Results expected(const Problem &p) {
    const std::string &op = p.contract->name;
    if (op.rfind("selective_", 0) == 0) return scan(p);
    if (op.rfind("causal_conv1d", 0) == 0) return conv(p);
    if (op.rfind("sinkhorn_", 0) == 0) return sinkhorn(p);
    if (op == "rms_norm" || op == "layer_norm") return norm(p);
    if (op == "linear") return linear(p);
    if (op == "expert_up") return expert_up(p);
    if (op == "expert_down") return expert_down(p);
    if (op == "grouped_expert_up") return grouped_expert_up(p);
    if (op == "grouped_expert_down") return grouped_expert_down(p);
    if (op == "router") return router(p);
    if (op == "expert_tiles") return expert_tiles(p);
    if (op == "add") return add(p);
    if (op == "embedding") return picked(p, "table", "ids", "H");
    if (op == "gather_rows") return picked(p, "x", "rows", "K");
    throw Error(op, "has no oracle: say in autotune/cases/expected.cpp what it computes");
}

} // namespace ks::cases
