// SPDX-License-Identifier: Apache-2.0
// Random values for operands, and what a storage makes of them.
#pragma once
#include <string>
#include <vector>

namespace ks::cases {

// Reproducible normal values times `scale`, each a float.
std::vector<double> normal(size_t count, int seed, double scale = 1);

// `values` as an operand of that storage keeps them.
std::vector<double> stored(const std::string &storage, std::vector<double> values);

} // namespace ks::cases
