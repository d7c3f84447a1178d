// SPDX-License-Identifier: Apache-2.0
// Mamba-1's mixer over one sequence, from named weights.
#pragma once
#include "tests/oracles/rounding.h"

#include <functional>
#include <string>
#include <vector>

namespace ks::oracle {

// Gives a checkpoint's tensor by key, row-major, as doubles; throws on an unknown key.
using WeightSource = std::function<std::vector<double>(const std::string &key)>;

struct MixerShape {
    int hidden = 0;     // H
    int inner = 0;      // Di
    int states = 16;    // N
    int conv_width = 4; // W
    int dt_rank = 0;    // R
    bool conv_bias = true;
};

// Empty vectors: zero state, before the first token.
struct MixerState {
    std::vector<double> conv; // [Di,W-1], the last inputs of the convolution, oldest first
    std::vector<double> ssm;  // [Di,N]
};

// x [L,H] -> [L,H]; the state moves on. Keys are prefix + "in_proj.weight", "conv1d.weight" and so on.
// `rounding` is applied to the in_proj product, the convolved x, the x_proj product, the dt_proj product
// (without bias), the gated scan output and the result; dt bias, scan and state are not rounded.
std::vector<double> mamba_mixer(const std::vector<double> &x, const MixerShape &shape,
                                const WeightSource &weights, const std::string &prefix, Rounding rounding,
                                MixerState &state);

} // namespace ks::oracle
