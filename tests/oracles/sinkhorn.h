// SPDX-License-Identifier: Apache-2.0
// BlackMamba's training-time Sinkhorn assignment, as coded and in its converged form.
#pragma once
#include <vector>

namespace ks::oracle {

struct SinkhornOptions {
    double factor = 2;       // in K = exp(factor * logits)
    double tolerance = 1e-4; // absolute, on the mean change of the column scales
    int cap = 2000;          // most passes
};

struct SinkhornResult {
    std::vector<double> plan; // [T,E]; rows should sum to 1/T, columns to 1/E
    std::vector<int> index;   // [T] largest entry of a row, the lowest expert among equals
    int iterations = 0;       // passes made
    bool capped = false;      // stopped by the cap, not by the tolerance
};

// logits [T,E] row-major, T tokens, E experts. As coded: d0 = 1, d1[e] = 1 / (E * sum_t K[t,e]), then passes
// of
//   d0[t] = (1/T) / (sum_e d1[e] K[t,e] + 1e-8),  d1[e] = (1/E) / (sum_t d0[t] K[t,e] + 1e-8)
// until mean_e |change of d1| <= tolerance; plan = d1[e] K[t,e] d0[t]. At least one pass is made; a cap of 1
// is the one-pass form. Throws std::invalid_argument on a wrong size.
SinkhornResult sinkhorn_as_coded(const std::vector<double> &logits, int experts,
                                 const SinkhornOptions &options = {});

// The steps of both forms, one at a time. Scales are numbers, or with `log` their natural logarithms; the
// 1e-8 is added in the first form only.
struct SinkhornScales {
    std::vector<double> d0; // [T]
    std::vector<double> d1; // [E]
    double change = 0;      // of d1 in the last pass: the mean, or with `log` the largest
};

// d1[e] = 1 / (E * sum_t K[t,e]): where passes begin.
std::vector<double> sinkhorn_start(const std::vector<double> &logits, int experts, bool log,
                                   double factor = 2);
// d0 from d1, then the next d1.
SinkhornScales sinkhorn_pass(const std::vector<double> &logits, const std::vector<double> &d1, bool log,
                             double factor = 2);
// The plan [T,E] of given scales.
std::vector<double> sinkhorn_plan(const std::vector<double> &logits, const SinkhornScales &scales, bool log,
                                  double factor = 2);

// The limit of the same scaling without the 1e-8, in log space: stops when no row sum is off by more than
// tolerance (relative); columns are exact after each pass.
SinkhornResult sinkhorn_converged(const std::vector<double> &logits, int experts, double factor = 2,
                                  double tolerance = 1e-12, int cap = 100000);

} // namespace ks::oracle
