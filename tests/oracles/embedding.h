// SPDX-License-Identifier: Apache-2.0
// Embedding lookup, and the output head with a vocabulary mask.
#pragma once
#include <vector>

namespace ks::oracle {

// Rows of table [V,H] picked by tokens [T]: result [T,H]. Throws std::invalid_argument on an id outside [0,
// V).
std::vector<double> embedding(const std::vector<int> &tokens, const std::vector<double> &table, int width);

// logits [T,V] = x [T,H] * table [V,H] transposed; ids >= limit (padding rows) give -infinity.
// A limit < 0 masks nothing.
std::vector<double> head(const std::vector<double> &x, const std::vector<double> &table, int width,
                         int limit = -1);

} // namespace ks::oracle
