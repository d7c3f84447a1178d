// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>
#include <numeric>

namespace ks::bench {

namespace {

// Tokens routed evenly: those of an expert are every eighth.
struct ExpertTiles {
    int64_t T, E, B, G;
    std::vector<int32_t> counts, offsets = {0}, permutation, rows, experts;

    ExpertTiles(int64_t tokens, int64_t slots)
        : T(tokens),
          E(sizes::experts),
          B(slots),
          G((T + E * (B - 1)) / B),
          rows(static_cast<size_t>(G * B)),
          experts(rows.size()) {
        for (int64_t e = 0; e < E; e++) {
            for (int64_t t = e; t < T; t += E) permutation.push_back(static_cast<int32_t>(t));
            offsets.push_back(static_cast<int32_t>(permutation.size()));
        }
        counts.resize(offsets.size());
        std::adjacent_difference(offsets.begin(), offsets.end(), counts.begin());
        counts.erase(counts.begin());
    }

    void run(const ks_library &library) {
        auto a = model::arguments<ks_expert_tiles_args>();
        a.T = T, a.E = E, a.G = G, a.B = B;
        a.counts = counts.data(), a.offsets = offsets.data(), a.permutation = permutation.data();
        a.rows = rows.data(), a.experts = experts.data();
        model::check(ks_expert_tiles(&library, &a));
    }

    double bytes() const { return 4 * static_cast<double>(T + 2 * G * B); }
};

const Registration registration("expert_tiles", [](Benchmarks &list) {
    for (int64_t B : {16, 64})
        list.push_back({fmt::format("expert_tiles/T={},E={},B={}", sizes::prefill, sizes::experts, B),
                        [=](const ks_library &library) -> Call {
                            auto tiles = std::make_shared<ExpertTiles>(sizes::prefill, B);
                            return {[tiles, &library](int) { tiles->run(library); }, {0, 0, tiles->bytes()}};
                        }});
});

} // namespace

} // namespace ks::bench
