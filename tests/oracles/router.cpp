// SPDX-License-Identifier: Apache-2.0
// Top-1 routing as plain loops.
#include "tests/oracles/router.h"

#include "tests/oracles/activations.h"
#include "tests/oracles/argmax.h"
#include "tests/oracles/check.h"

#include <cmath>

namespace ks::oracle {

Grouping group_by_expert(const std::vector<int> &index, int experts) {
    expect(experts > 0, "router: experts must be positive");
    Grouping g;
    g.offsets.push_back(0);
    for (int e = 0; e < experts; e++) {
        int count = 0;
        for (size_t t = 0; t < index.size(); t++) {
            expect(index[t] >= 0 && index[t] < experts, "router: expert index out of range");
            if (index[t] != e) continue;
            g.permutation.push_back(static_cast<int>(t));
            count++;
        }
        g.counts.push_back(count);
        g.offsets.push_back(g.offsets.back() + count);
    }
    return g;
}

Routing route_top1(const std::vector<double> &logits, int experts, Gate gate) {
    expect(experts > 0, "router: experts must be positive");
    const size_t E = static_cast<size_t>(experts), T = logits.size() / E;
    expect_size("logits", logits, T * E);
    Routing r;
    for (size_t t = 0; t < T; t++) {
        const double *row = &logits[t * E];
        const size_t best = argmax(row, E);
        double sum = 0; // of exp(logit - largest): the softmax of the largest is its reciprocal
        for (size_t e = 0; e < E; e++) sum += std::exp(row[e] - row[best]);
        r.index.push_back(static_cast<int>(best));
        r.gate.push_back(gate == Gate::sigmoid ? sigmoid(row[best]) : 1.0 / sum);
    }
    r.groups = group_by_expert(r.index, experts);
    return r;
}

} // namespace ks::oracle
