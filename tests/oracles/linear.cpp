// SPDX-License-Identifier: Apache-2.0
// Matrix product as three plain loops.
#include "tests/oracles/linear.h"

#include "tests/oracles/check.h"

namespace ks::oracle {

std::vector<double> linear(const std::vector<double> &x, const std::vector<double> &weight, int in,
                           const std::vector<double> &bias) {
    expect(in > 0, "linear: in must be positive");
    const size_t K = static_cast<size_t>(in), M = x.size() / K, N = weight.size() / K;
    expect_size("x", x, M * K);
    expect_size("weight", weight, N * K);
    expect_size_or_empty("bias", bias, N);
    std::vector<double> y(M * N);
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = bias.empty() ? 0.0 : bias[n];
            for (size_t k = 0; k < K; k++) sum += x[m * K + k] * weight[n * K + k];
            y[m * N + n] = sum;
        }
    return y;
}

} // namespace ks::oracle
