// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm as plain loops over rows.
#include "tests/oracles/norm.h"

#include "tests/oracles/check.h"

#include <cmath>

namespace ks::oracle {
namespace {

// The norm's input: adds and replaces the residual, then rounds.
std::vector<double> add(const std::vector<double> &hidden, std::vector<double> *residual, Rounding to) {
    std::vector<double> sum = hidden;
    if (residual) {
        expect_size_or_empty("residual", *residual, hidden.size());
        for (size_t i = 0; i < residual->size(); i++) sum[i] += (*residual)[i];
        *residual = sum;
    }
    return rounded(std::move(sum), to);
}

} // namespace

std::vector<double> rms_norm(const std::vector<double> &hidden, std::vector<double> *residual,
                             const std::vector<double> &weight, const NormOptions &options) {
    const size_t H = weight.size();
    expect(H > 0 && hidden.size() % H == 0, "rms_norm: hidden must be whole rows of weight's width");
    std::vector<double> v = add(hidden, residual, options.sum);
    for (size_t row = 0; row < v.size(); row += H) {
        double square = 0;
        for (size_t i = 0; i < H; i++) square += v[row + i] * v[row + i];
        const double scale = 1.0 / std::sqrt(square / static_cast<double>(H) + options.eps);
        for (size_t i = 0; i < H; i++)
            v[row + i] = rounded(rounded(v[row + i] * scale, options.normalised) * weight[i], options.output);
    }
    return v;
}

std::vector<double> layer_norm(const std::vector<double> &hidden, std::vector<double> *residual,
                               const std::vector<double> &weight, const std::vector<double> &bias,
                               const NormOptions &options) {
    const size_t H = weight.size();
    expect(H > 0 && hidden.size() % H == 0, "layer_norm: hidden must be whole rows of weight's width");
    expect_size_or_empty("bias", bias, H);
    std::vector<double> v = add(hidden, residual, options.sum);
    for (size_t row = 0; row < v.size(); row += H) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < H; i++) mean += v[row + i] / static_cast<double>(H);
        for (size_t i = 0; i < H; i++)
            variance += (v[row + i] - mean) * (v[row + i] - mean) / static_cast<double>(H);
        const double scale = 1.0 / std::sqrt(variance + options.eps);
        for (size_t i = 0; i < H; i++) {
            const double normalised = rounded((v[row + i] - mean) * scale, options.normalised);
            v[row + i] = rounded(normalised * weight[i] + (bias.empty() ? 0.0 : bias[i]), options.output);
        }
    }
    return v;
}

} // namespace ks::oracle
