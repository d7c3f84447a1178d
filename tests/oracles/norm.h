// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm over rows, with residual add and the rounding points of the model families.
#pragma once
#include "tests/oracles/rounding.h"

#include <vector>

namespace ks::oracle {

struct NormOptions {
    double eps = 1e-5;
    Rounding sum = Rounding::none;        // of hidden + residual before the norm (BlackMamba, HF Mamba); the
                                          // residual keeps the unrounded sum
    Rounding normalised = Rounding::none; // of the normalised value before the weight product (HF Mamba)
    Rounding output = Rounding::none;
};

// hidden [T,H], weight [H] (gives H), result [T,H], all row-major. With v = rounded sum:
//   rms_norm:   v * rsqrt(mean(v^2) + eps) * weight
//   layer_norm: (v - mean(v)) * rsqrt(mean((v - mean(v))^2) + eps) * weight + bias,  bias [H] or empty: zero
// residual: null: the sum is hidden alone. Otherwise [T,H] is added (empty: nothing to add, as before the
// first layer) and replaced by the new residual, the unrounded sum [T,H]. Both throw std::invalid_argument on
// a wrong size.
std::vector<double> rms_norm(const std::vector<double> &hidden, std::vector<double> *residual,
                             const std::vector<double> &weight, const NormOptions &options = {});
std::vector<double> layer_norm(const std::vector<double> &hidden, std::vector<double> *residual,
                               const std::vector<double> &weight, const std::vector<double> &bias,
                               const NormOptions &options = {});

} // namespace ks::oracle
