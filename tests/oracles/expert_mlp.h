// SPDX-License-Identifier: Apache-2.0
// The expert MLP of every token under a given top-1 assignment; one expert makes it a dense MLP.
#pragma once
#include "tests/oracles/activations.h"
#include "tests/oracles/rounding.h"

#include <vector>

namespace ks::oracle {

// Row-major arrays; T tokens, H model width, E experts, F expert width. For token t with e = index[t]:
//   gated:     a = fc1[e, 0..F) x, b = fc1[e, F..2F) x, m = act(a) * b
//   not gated: m = act(fc1[e] x)
//   y = gate[t] * (fc2[e] m)
struct ExpertMlp {
    int width = 0;  // H
    int hidden = 0; // F
    int experts = 1;
    bool gated = true;
    Activation activation = Activation::gelu_erf;
    Rounding rounding = Rounding::none; // of fc1's output, act(a), m, fc2's output and the gated result
    std::vector<double> x;              // [T,H]
    std::vector<int> index;             // [T] in [0,E), or empty: all expert 0
    std::vector<double> gate;           // [T], or empty: 1
    std::vector<double> fc1;            // [E,2F,H] rows gate | up when gated, else [E,F,H]
    std::vector<double> fc2;            // [E,H,F]
};

// Returns y [T,H]. Throws std::invalid_argument on a wrong size or index.
std::vector<double> expert_mlp(const ExpertMlp &args);

} // namespace ks::oracle
