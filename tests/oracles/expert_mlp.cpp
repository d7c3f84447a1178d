// SPDX-License-Identifier: Apache-2.0
// Expert MLP token by token, without any grouping.
#include "tests/oracles/expert_mlp.h"

#include "tests/oracles/check.h"

namespace ks::oracle {
namespace {

double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

void token(const ExpertMlp &a, const double *x, size_t e, double gate, double *y) {
    const size_t H = static_cast<size_t>(a.width), F = static_cast<size_t>(a.hidden);
    const double *fc1 = &a.fc1[e * (a.gated ? 2 * F : F) * H], *fc2 = &a.fc2[e * H * F];
    std::vector<double> m(F);
    for (size_t f = 0; f < F; f++) {
        m[f] = rounded(activate(rounded(dot(fc1 + f * H, x, H), a.rounding), a.activation), a.rounding);
        if (a.gated) m[f] = rounded(m[f] * rounded(dot(fc1 + (F + f) * H, x, H), a.rounding), a.rounding);
    }
    for (size_t i = 0; i < H; i++)
        y[i] = rounded(gate * rounded(dot(fc2 + i * F, m.data(), F), a.rounding), a.rounding);
}

} // namespace

std::vector<double> expert_mlp(const ExpertMlp &a) {
    expect(a.width > 0 && a.hidden > 0 && a.experts > 0, "expert_mlp: sizes must be positive");
    const size_t H = static_cast<size_t>(a.width), F = static_cast<size_t>(a.hidden);
    const size_t E = static_cast<size_t>(a.experts), T = a.x.size() / H;
    expect_size("x", a.x, T * H);
    expect_size("fc1", a.fc1, E * (a.gated ? 2 : 1) * F * H);
    expect_size("fc2", a.fc2, E * H * F);
    expect_size_or_empty("index", a.index, T);
    expect_size_or_empty("gate", a.gate, T);
    std::vector<double> y(T * H);
    for (size_t t = 0; t < T; t++) {
        const int e = a.index.empty() ? 0 : a.index[t];
        expect(e >= 0 && e < a.experts, "expert_mlp: expert index out of range");
        token(a, &a.x[t * H], static_cast<size_t>(e), a.gate.empty() ? 1.0 : a.gate[t], &y[t * H]);
    }
    return y;
}

} // namespace ks::oracle
