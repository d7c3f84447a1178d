// SPDX-License-Identifier: Apache-2.0
// From a problem to the oracles of tests/oracles: layouts are undone here, in plain loops.
#include "autotune/cases/problem.h"
#include "runtime/base/error.h"
#include "tests/oracles/activations.h"
#include "tests/oracles/causal_conv1d.h"
#include "tests/oracles/linear.h"
#include "tests/oracles/selective_scan.h"
#include <cmath>

namespace ks::tune {

namespace {

// [outer][a][b] -> [outer][b][a]
Values swapped(const Values &v, size_t outer, size_t a, size_t b) {
    Values out(v.size());
    for (size_t o = 0; o < outer; o++)
        for (size_t i = 0; i < a; i++)
            for (size_t j = 0; j < b; j++) out[(o * b + j) * a + i] = v[(o * a + i) * b + j];
    return out;
}

std::map<std::string, Values> scan(const Problem &p, bool update) {
    auto D = static_cast<size_t>(p.dim("D")), N = static_cast<size_t>(p.dim("N"));
    size_t outer = update ? static_cast<size_t>(p.dim("S")) : 1;
    oracle::SelectiveScan a;
    a.channels = static_cast<int>(D);
    a.states = static_cast<int>(N);
    a.u = p.input("u");
    a.dt = p.input("dt");
    a.z = p.input("z");
    a.B = p.input("B");
    a.C = p.input("C");
    a.D = p.input("D_skip");
    a.dt_bias = p.input("dt_bias");
    a.A = swapped(p.input("A"), 1, N, D);
    for (double &v : a.A) v /= M_LOG2E;
    a.h = swapped(p.input("state"), outer, N, D);
    Values y;
    if (update) {
        y = oracle::selective_state_update(a);
    } else {
        a.seq_start = {0, static_cast<int>(p.dim("T"))};
        y = oracle::selective_scan(a);
    }
    return {{"y", y}, {"state", swapped(a.h, outer, D, N)}};
}

std::map<std::string, Values> conv(const Problem &p) {
    auto D = static_cast<size_t>(p.dim("D")), W = static_cast<size_t>(p.dim("W"));
    oracle::CausalConv1d a;
    a.channels = static_cast<int>(D);
    a.width = static_cast<int>(W);
    a.seq_start = {0, static_cast<int>(p.dim("T"))};
    a.x = p.input("x");
    a.weight = swapped(p.input("weight"), 1, W, D);
    a.bias = p.input("bias");
    a.state = swapped(p.input("state"), 1, W - 1, D);
    Values y = oracle::causal_conv1d(a);
    return {{"y", y}, {"state", swapped(a.state, 1, D, W - 1)}};
}

// Part `part` of packed panels as a plain [P * lanes, K] matrix.
Values matrix(const Problem &p, size_t parts, size_t part) {
    auto P = static_cast<size_t>(p.dim("P")), K = static_cast<size_t>(p.dim("K"));
    auto lanes = static_cast<size_t>(p.dim("panel"));
    size_t paired = p.spec().choice("io") == "bf16" ? K / 2 * 2 : 0; // k below it lie side by side in twos
    const Values &w = p.input("w");
    Values out(P * lanes * K);
    for (size_t n = 0; n < P * lanes; n++)
        for (size_t k = 0; k < K; k++) {
            size_t width = k < paired ? 2 : 1, row = k / width * width; // of W in this row of the panel
            size_t at = (row * parts + part * width) * lanes + n % lanes * width + k % width;
            out[n * K + k] = w[n / lanes * K * parts * lanes + at];
        }
    return out;
}

std::map<std::string, Values> expert_up(const Problem &p) {
    auto halves = static_cast<size_t>(p.dim("halves"));
    int K = static_cast<int>(p.dim("K"));
    Values h = oracle::linear(p.input("x"), matrix(p, halves, 0), K);
    bool silu = p.spec().choice("act") == "silu";
    for (double &v : h) v = silu ? oracle::silu(v) : oracle::gelu_erf(v);
    if (halves == 2) {
        Values up = oracle::linear(p.input("x"), matrix(p, 2, 1), K);
        for (size_t i = 0; i < h.size(); i++) h[i] *= up[i];
    }
    return {{"h", h}};
}

std::map<std::string, Values> expert_down(const Problem &p) {
    Values y = oracle::linear(p.input("h"), matrix(p, 1, 0), static_cast<int>(p.dim("K")));
    auto width = static_cast<size_t>(p.dim("P") * p.dim("panel"));
    Values placed(y.size());
    std::vector<int> rows = p.integers("rows");
    for (size_t r = 0; r < rows.size(); r++)
        for (size_t i = 0; i < width; i++)
            placed[static_cast<size_t>(rows[r]) * width + i] = y[r * width + i] * p.input("scale")[r];
    return {{"y", placed}};
}

} // namespace

bool has_case(const std::string &op) {
    for (const char *known :
         {"selective_scan", "selective_state_update", "causal_conv1d", "linear", "expert_up", "expert_down"})
        if (op == known) return true;
    return false;
}

std::map<std::string, Values> expected(const Problem &p) {
    const std::string &op = p.contract().name;
    if (op == "selective_scan") return scan(p, false);
    if (op == "selective_state_update") return scan(p, true);
    if (op == "causal_conv1d") return conv(p);
    if (op == "expert_up") return expert_up(p);
    if (op == "expert_down") return expert_down(p);
    if (op != "linear") throw Error(op, "has no measuring case: it cannot be tuned");
    Values bias = p.input("bias");
    return {{"y", oracle::linear(p.input("x"), matrix(p, 1, 0), static_cast<int>(p.dim("K")), bias)}};
}

} // namespace ks::tune
