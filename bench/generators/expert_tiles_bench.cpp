// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "runtime/base/tiles.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

// T tokens, evenly over the experts.
struct Tiles {
    int64_t T, E, B;
    int64_t G = most_tiles(T, E, B);
    std::vector<int32_t> counts, offsets, permutation, rows, experts;

    Tiles(int64_t tokens, int64_t number, int64_t slots) : T(tokens), E(number), B(slots) {
        for (int64_t e = 0; e <= E; e++) offsets.push_back(static_cast<int32_t>(T * e / E));
        for (size_t e = 0; e < static_cast<size_t>(E); e++) counts.push_back(offsets[e + 1] - offsets[e]);
        for (int64_t t = 0; t < T; t++) permutation.push_back(static_cast<int32_t>(t));
        rows.resize(static_cast<size_t>(G * B)), experts.resize(rows.size());
    }

    void run(const ks_library &library) {
        auto a = model::arguments<ks_expert_tiles_args>();
        a.T = T, a.E = E, a.G = G, a.B = B;
        a.counts = counts.data(), a.offsets = offsets.data(), a.permutation = permutation.data();
        a.rows = rows.data(), a.experts = experts.data();
        model::check(ks_expert_tiles(&library, &a));
    }

    Work work() const {
        return {0, 0, 4 * (static_cast<double>(T) + 2 * static_cast<double>(G * B))}; // bytes alone
    }
};

const Registration registration("expert_tiles", [](Benchmarks &list) {
    for (int64_t T : {int64_t{8}, sizes::prefill})
        list.push_back({fmt::format("expert_tiles/T={},E={},B=8", T, sizes::experts),
                        [=](const ks_library &library) -> Call {
                            auto tiles = std::make_shared<Tiles>(T, sizes::experts, 8);
                            return {[tiles, &library](int) { tiles->run(library); }, tiles->work()};
                        }});
});

} // namespace

} // namespace ks::bench
