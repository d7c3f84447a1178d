// SPDX-License-Identifier: Apache-2.0
// Sinkhorn scaling as plain loops; log space for the converged form.
#include "tests/oracles/sinkhorn.h"

#include "tests/oracles/argmax.h"
#include "tests/oracles/check.h"

#include <algorithm>
#include <cmath>

namespace ks::oracle {
namespace {

std::vector<int> largest_per_row(const std::vector<double> &plan, size_t E) {
    std::vector<int> index;
    for (size_t row = 0; row < plan.size(); row += E)
        index.push_back(static_cast<int>(argmax(&plan[row], E)));
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

std::vector<double> exponentials(const std::vector<double> &logits, double factor) {
    std::vector<double> K;
    for (double g : logits) K.push_back(std::exp(factor * g));
    return K;
}

std::vector<double> scaled(std::vector<double> logits, double factor) {
    for (double &v : logits) v *= factor;
    return logits;
}

SinkhornScales pass(const std::vector<double> &K, const std::vector<double> &d1) {
    const size_t E = d1.size(), T = K.size() / E;
    SinkhornScales s{std::vector<double>(T), std::vector<double>(E), 0};
    for (size_t t = 0; t < T; t++) {
        double sum = 0;
        for (size_t e = 0; e < E; e++) sum += d1[e] * K[t * E + e];
        s.d0[t] = 1.0 / static_cast<double>(T) / (sum + 1e-8);
    }
    for (size_t e = 0; e < E; e++) {
        double sum = 0;
        for (size_t t = 0; t < T; t++) sum += s.d0[t] * K[t * E + e];
        s.d1[e] = 1.0 / static_cast<double>(E) / (sum + 1e-8);
        s.change += std::fabs(s.d1[e] - d1[e]) / static_cast<double>(E);
    }
    return s;
}

// The same on logarithms; g holds factor * logits.
SinkhornScales log_pass(const std::vector<double> &g, const std::vector<double> &d1) {
    const size_t E = d1.size(), T = g.size() / E;
    const double log_T = std::log(static_cast<double>(T)), log_E = std::log(static_cast<double>(E));
    SinkhornScales s{std::vector<double>(T), std::vector<double>(E), 0};
    for (size_t t = 0; t < T; t++) s.d0[t] = -log_T - log_sum_exp(&g[t * E], 1, d1);
    for (size_t e = 0; e < E; e++) {
        s.d1[e] = -log_E - log_sum_exp(&g[e], E, s.d0);
        const double moved = std::fabs(s.d1[e] - d1[e]);
        s.change = moved > s.change || std::isnan(moved) ? moved : s.change;
    }
    return s;
}

} // namespace

std::vector<double> sinkhorn_start(const std::vector<double> &logits, int experts, bool log, double factor) {
    const size_t T = rows(logits, experts), E = static_cast<size_t>(experts);
    const std::vector<double> g = scaled(logits, factor), nothing(T, 0.0);
    std::vector<double> d1(E);
    for (size_t e = 0; e < E; e++) {
        if (log) {
            d1[e] = -std::log(static_cast<double>(E)) - log_sum_exp(&g[e], E, nothing);
        } else {
            for (size_t t = 0; t < T; t++) d1[e] += std::exp(g[t * E + e]);
            d1[e] = 1.0 / (static_cast<double>(E) * d1[e]);
        }
    }
    return d1;
}

SinkhornScales sinkhorn_pass(const std::vector<double> &logits, const std::vector<double> &d1, bool log,
                             double factor) {
    rows(logits, static_cast<int>(d1.size()));
    return log ? log_pass(scaled(logits, factor), d1) : pass(exponentials(logits, factor), d1);
}

std::vector<double> sinkhorn_plan(const std::vector<double> &logits, const SinkhornScales &s, bool log,
                                  double factor) {
    const size_t E = s.d1.size();
    expect_size("logits", logits, s.d0.size() * E);
    std::vector<double> plan;
    for (size_t i = 0; i < logits.size(); i++) {
        const double g = factor * logits[i], d0 = s.d0[i / E], d1 = s.d1[i % E];
        plan.push_back(log ? std::exp(g + d0 + d1) : d1 * std::exp(g) * d0);
    }
    return plan;
}

SinkhornResult sinkhorn_as_coded(const std::vector<double> &logits, int experts,
                                 const SinkhornOptions &options) {
    SinkhornScales s{{}, sinkhorn_start(logits, experts, false, options.factor), 0};
    const std::vector<double> K = exponentials(logits, options.factor);
    SinkhornResult r;
    do {
        s = pass(K, s.d1);
        r.iterations++;
    } while (!(s.change <= options.tolerance) && r.iterations < options.cap);
    r.capped = !(s.change <= options.tolerance);
    r.plan = sinkhorn_plan(logits, s, false, options.factor);
    r.index = largest_per_row(r.plan, static_cast<size_t>(experts));
    return r;
}

SinkhornResult sinkhorn_converged(const std::vector<double> &logits, int experts, double factor,
                                  double tolerance, int cap) {
    const size_t T = rows(logits, experts), E = static_cast<size_t>(experts);
    const double log_row = -std::log(static_cast<double>(T));
    const std::vector<double> g = scaled(logits, factor);
    SinkhornScales s{{}, std::vector<double>(E, 0.0), 0}; // plan = exp(g + d0[t] + d1[e])
    SinkhornResult r;
    double error;
    do {
        s = log_pass(g, s.d1);
        error = 0;
        for (size_t t = 0; t < T; t++)
            error =
                std::max(error, std::fabs(std::expm1(log_sum_exp(&g[t * E], 1, s.d1) + s.d0[t] - log_row)));
        r.iterations++;
    } while (!(error <= tolerance) && r.iterations < cap);
    r.capped = !(error <= tolerance);
    r.plan = sinkhorn_plan(logits, s, true, factor);
    r.index = largest_per_row(r.plan, E);
    return r;
}

} // namespace ks::oracle
