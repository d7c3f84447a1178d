// SPDX-License-Identifier: Apache-2.0
// Matrix product with a [out, in] weight.
#pragma once
#include <vector>

namespace ks::oracle {

// y [M,N] = x [M,K] * weight [N,K] transposed + bias [N] (empty: zero); row-major.
// `in` is K; M and N follow from the sizes. Throws std::invalid_argument on a wrong size.
std::vector<double> linear(const std::vector<double> &x, const std::vector<double> &weight, int in,
                           const std::vector<double> &bias = {});

} // namespace ks::oracle
