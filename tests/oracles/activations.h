// SPDX-License-Identifier: Apache-2.0
// Scalar functions shared by the oracles.
#pragma once

namespace ks::oracle {

enum class Activation { gelu_erf, silu };

double sigmoid(double v);
double silu(double v);     // v * sigmoid(v)
double gelu_erf(double v); // v * Phi(v), the exact form with erf
double softplus(double v); // log(1 + e^v), and exactly v above 20
double activate(double v, Activation act);

} // namespace ks::oracle
