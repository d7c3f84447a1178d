// SPDX-License-Identifier: Apache-2.0
// Sinkhorn scaling as plain loops; log space for the converged form.
#include "tests/oracles/sinkhorn.h"

#include "tests/oracles/check.h"

#include <algorithm>
#include <cmath>

namespace ks::oracle {
namespace {

std::vector<int> largest_per_row(const std::vector<double> &plan, size_t E) {
    std::vector<int> index;
    for (size_t row = 0; row < plan.size(); row += E) {
        size_t best = 0;
        for (size_t e = 1; e < E; e++)
            if (plan[row + e] > plan[row + best]) best = e;
        index.push_back(static_cast<int>(best));
    }
    return index;
}

// log(sum_i exp(first[i * stride] + add[i])) over n elements, safe for any magnitude.
double log_sum_exp(const double *first, size_t stride, const std::vector<double> &add) {
    double top = first[0] + add[0], sum = 0;
    for (size_t i = 0; i < add.size(); i++) top = std::max(top, first[i * stride] + add[i]);
    for (size_t i = 0; i < add.size(); i++) sum += std::exp(first[i * stride] + add[i] - top);
    return top + std::log(sum);
}

size_t rows(const std::vector<double> &logits, int experts) {
    expect(experts > 0, "sinkhorn: experts must be positive");
    const size_t E = static_cast<size_t>(experts), T = logits.size() / E;
    expect(T > 0, "sinkhorn: no tokens");
    expect_size("logits", logits, T * E);
    return T;
}

// One pass over d0 [T] and d1 [E]; returns the mean change of d1.
double pass(const std::vector<double> &K, std::vector<double> &d0, std::vector<double> &d1) {
    const size_t T = d0.size(), E = d1.size();
    for (size_t t = 0; t < T; t++) {
        double sum = 0;
        for (size_t e = 0; e < E; e++) sum += d1[e] * K[t * E + e];
        d0[t] = 1.0 / static_cast<double>(T) / (sum + 1e-8);
    }
    double change = 0;
    for (size_t e = 0; e < E; e++) {
        double sum = 0;
        for (size_t t = 0; t < T; t++) sum += d0[t] * K[t * E + e];
        const double next = 1.0 / static_cast<double>(E) / (sum + 1e-8);
        change += std::fabs(next - d1[e]);
        d1[e] = next;
    }
    return change / static_cast<double>(E);
}

} // namespace

SinkhornResult sinkhorn_as_coded(const std::vector<double> &logits, int experts,
                                 const SinkhornOptions &options) {
    const size_t T = rows(logits, experts), E = static_cast<size_t>(experts);
    std::vector<double> K, d0(T, 1.0), d1(E, 0.0);
    for (double g : logits) K.push_back(std::exp(options.factor * g));
    for (size_t e = 0; e < E; e++) {
        for (size_t t = 0; t < T; t++) d1[e] += K[t * E + e];
        d1[e] = 1.0 / (static_cast<double>(E) * d1[e]);
    }
    SinkhornResult r;
    double change;
    do {
        change = pass(K, d0, d1);
        r.iterations++;
    } while (!(change <= options.tolerance) && r.iterations < options.cap);
    r.capped = !(change <= options.tolerance);
    r.plan.resize(T * E);
    for (size_t i = 0; i < r.plan.size(); i++) r.plan[i] = d1[i % E] * K[i] * d0[i / E];
    r.index = largest_per_row(r.plan, E);
    return r;
}

SinkhornResult sinkhorn_converged(const std::vector<double> &logits, int experts, double factor,
                                  double tolerance, int cap) {
    const size_t T = rows(logits, experts), E = static_cast<size_t>(experts);
    const double log_row = -std::log(static_cast<double>(T)), log_column = -std::log(static_cast<double>(E));
    std::vector<double> g = logits, a(T, 0.0), b(E, 0.0); // plan = exp(g + a[t] + b[e])
    for (double &v : g) v *= factor;
    SinkhornResult r;
    double error;
    do {
        for (size_t t = 0; t < T; t++) a[t] = log_row - log_sum_exp(&g[t * E], 1, b);
        for (size_t e = 0; e < E; e++) b[e] = log_column - log_sum_exp(&g[e], E, a);
        error = 0;
        for (size_t t = 0; t < T; t++)
            error = std::max(error, std::fabs(std::expm1(log_sum_exp(&g[t * E], 1, b) + a[t] - log_row)));
        r.iterations++;
    } while (!(error <= tolerance) && r.iterations < cap);
    r.capped = !(error <= tolerance);
    for (size_t i = 0; i < g.size(); i++) r.plan.push_back(std::exp(g[i] + a[i / E] + b[i % E]));
    r.index = largest_per_row(r.plan, E);
    return r;
}

} // namespace ks::oracle
