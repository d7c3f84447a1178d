// SPDX-License-Identifier: Apache-2.0
// Scalar functions shared by the oracles.
#include "tests/oracles/activations.h"

#include <cmath>

namespace ks::oracle {

double sigmoid(double v) { return 1.0 / (1.0 + std::exp(-v)); }

double silu(double v) { return v * sigmoid(v); }

// erfc keeps its relative accuracy for very negative v, where 1 + erf would cancel.
double gelu_erf(double v) { return 0.5 * v * std::erfc(-v / std::sqrt(2.0)); }

double softplus(double v) { return v > 20.0 ? v : std::log1p(std::exp(v)); }

double activate(double v, Activation act) { return act == Activation::silu ? silu(v) : gelu_erf(v); }

} // namespace ks::oracle
