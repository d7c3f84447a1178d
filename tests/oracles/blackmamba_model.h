// SPDX-License-Identifier: Apache-2.0
// Whole-model reference in double precision: BlackMamba with all its layer kinds, and Mamba-1 in both
// formats.
#pragma once
#include "tests/oracles/activations.h"
#include "tests/oracles/mamba_mixer.h"
#include "tests/oracles/router.h"

#include <string>
#include <vector>

namespace ks::oracle {

// Decides tensor keys, norms and rounding points.
enum class Family { blackmamba, mamba_native, mamba_hf };

struct ModelConfig {
    Family family = Family::blackmamba;
    MixerShape mixer; // its `hidden` is the model width H
    int vocab = 0;    // V, rows of the embedding
    // One entry per layer: "r" Mamba, "1" dense MLP, "k" (2..9) k experts, "r1" / "rk" both in parallel.
    // Mamba-1 models: all "r".
    std::vector<std::string> layers;
    int ffn = 0; // F, expert width
    bool gated = true;
    Activation activation = Activation::gelu_erf;
    Gate gate = Gate::sigmoid;
    double eps = 1e-5;
    bool tied = true; // Mamba-1: false takes lm_head.weight
};

struct ModelOptions {
    // Of every activation that a run in this type stores; weights are taken as given. The residual, the scan
    // and its state stay unrounded.
    Rounding rounding = Rounding::none;
    // With a rounding: round router logits and sigmoids too, as the official code does (equal ones then go to
    // the lowest expert). False keeps the router exact, only the gate is rounded.
    bool round_router = true;
};

// What happened on the way, for tests that want to compare layer by layer.
struct ModelTrace {
    std::vector<std::vector<double>> residual;     // per layer: the stream after it, [L,H] unrounded
    std::vector<std::vector<int>> expert;          // per layer [L]; empty for layers without a router
    std::vector<std::vector<double>> logit_margin; // per layer [L]: largest minus second largest router logit
};

using ModelState = std::vector<MixerState>; // one per layer; empty: start of the sequence

// logits [L,V] of tokens [L], one sequence. state: null for a whole sequence; otherwise carried in and out,
// so that pieces give the same logits as the whole. Weights are fetched layer by layer, only the experts in
// use. Throws std::invalid_argument on a wrong size, layer entry or token id.
std::vector<double> model_logits(const ModelConfig &config, const WeightSource &weights,
                                 const std::vector<int> &tokens, const ModelOptions &options = {},
                                 ModelState *state = nullptr, ModelTrace *trace = nullptr);

} // namespace ks::oracle
