// SPDX-License-Identifier: Apache-2.0
// Embedding lookup, and the output head with a vocabulary mask.
#include "tests/oracles/embedding.h"

#include "tests/oracles/check.h"
#include "tests/oracles/linear.h"

#include <limits>

namespace ks::oracle {

std::vector<double> embedding(const std::vector<int> &tokens, const std::vector<double> &table, int width) {
    expect(width > 0, "embedding: width must be positive");
    const size_t H = static_cast<size_t>(width), V = table.size() / H;
    expect_size("table", table, V * H);
    std::vector<double> x;
    for (int id : tokens) {
        expect(id >= 0 && static_cast<size_t>(id) < V, "embedding: token id outside the table");
        for (size_t i = 0; i < H; i++) x.push_back(table[static_cast<size_t>(id) * H + i]);
    }
    return x;
}

std::vector<double> head(const std::vector<double> &x, const std::vector<double> &table, int width,
                         int limit) {
    std::vector<double> logits = linear(x, table, width);
    const size_t V = table.size() / static_cast<size_t>(width);
    if (limit >= 0)
        for (size_t i = 0; i < logits.size(); i++)
            if (i % V >= static_cast<size_t>(limit)) logits[i] = -std::numeric_limits<double>::infinity();
    return logits;
}

} // namespace ks::oracle
