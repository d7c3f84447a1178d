// SPDX-License-Identifier: Apache-2.0
// Random values for operands, and what a storage makes of them.
#pragma once
#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace ks::cases {

// Reproducible normal values times `scale`, each a float.
std::vector<double> normal(size_t count, int seed, double scale = 1);

// `values` as an operand of that storage keeps them.
std::vector<double> stored(const std::string &storage, std::vector<double> values);

// Calls work(first, end) for blocks of 0 to `count`, on all cores: weights of experts have 10^8 elements.
// Blocks have `size`, and are the same whatever the number of cores. `work` throws nothing.
void in_blocks(size_t count, size_t size, const std::function<void(size_t first, size_t end)> &work);
// The same in blocks that are large enough for work of a few instructions an element.
void in_blocks(size_t count, const std::function<void(size_t first, size_t end)> &work);

} // namespace ks::cases
