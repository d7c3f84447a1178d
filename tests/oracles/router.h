// SPDX-License-Identifier: Apache-2.0
// Top-1 routing: expert and gate of every token, and the grouping of tokens by expert.
#pragma once
#include <vector>

namespace ks::oracle {

// How the gate follows from a token's logits: sigmoid of the largest (BlackMamba), or its softmax
// probability.
enum class Gate { sigmoid, softmax };

// Tokens grouped by expert. Positions offsets[e] .. offsets[e+1]-1 of the permutation hold the tokens of
// expert e in ascending order (a stable grouping).
struct Grouping {
    std::vector<int> counts;      // [E]
    std::vector<int> offsets;     // [E+1], from 0 to T
    std::vector<int> permutation; // [T]: grouped position -> token
};

struct Routing {
    std::vector<int> index;   // [T] expert of a token: the largest raw logit (argmax.h)
    std::vector<double> gate; // [T]
    Grouping groups;
};

// logits [T,E] row-major. Throws std::invalid_argument on a wrong size.
Routing route_top1(const std::vector<double> &logits, int experts, Gate gate);

// index [T], each in [0, experts).
Grouping group_by_expert(const std::vector<int> &index, int experts);

} // namespace ks::oracle
