// SPDX-License-Identifier: Apache-2.0
#include "autotune/cases/values.h"
#include "tests/oracles/rounding.h"
#include <random>

namespace ks::cases {

std::vector<double> normal(size_t count, int seed, double scale) {
    std::mt19937 generator(static_cast<unsigned>(seed));
    std::normal_distribution<float> distribution;
    std::vector<double> v(count);
    for (double &x : v) x = static_cast<float>(distribution(generator) * scale);
    return v;
}

std::vector<double> stored(const std::string &storage, std::vector<double> values) {
    auto to = storage == "bf16"  ? oracle::Rounding::bf16
              : storage == "f16" ? oracle::Rounding::f16
                                 : oracle::Rounding::none;
    return oracle::rounded(std::move(values), to);
}

} // namespace ks::cases
