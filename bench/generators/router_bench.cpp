// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

struct Router {
    int64_t T, E;
    std::string score;
    AlignedBytes logits = uniform(T * E, 1, 4.f), gate = zeros(T);
    std::vector<int32_t> index = std::vector<int32_t>(static_cast<size_t>(T)), permutation = index;
    std::vector<int32_t> counts = std::vector<int32_t>(static_cast<size_t>(E)),
                         offsets = std::vector<int32_t>(static_cast<size_t>(E + 1));

    void run(const ks_library &library) {
        auto a = model::arguments<ks_router_args>();
        a.T = T, a.E = E, a.score = choice_index("router", "score", score);
        a.logits = logits.floats(), a.index = index.data(), a.gate = gate.floats();
        a.counts = counts.data(), a.offsets = offsets.data(), a.permutation = permutation.data();
        model::check(ks_router(&library, &a));
    }

    // A softmax needs every exponential, a sigmoid the winner's.
    Work work() const {
        auto tokens = static_cast<double>(T), experts = static_cast<double>(E);
        return {0, tokens * (score == "softmax" ? experts : 1), 4 * tokens * (experts + 3)};
    }
};

const Registration registration("router", [](Benchmarks &list) {
    for (const char *score : {"sigmoid", "softmax"})
        for (int64_t T : {int64_t{1}, sizes::prefill})
            list.push_back({fmt::format("router/{}/T={},E={}", score, T, sizes::experts),
                            [=](const ks_library &library) -> Call {
                                auto router = std::make_shared<Router>(Router{T, sizes::experts, score});
                                return {[router, &library](int) { router->run(library); }, router->work()};
                            }});
});

} // namespace

} // namespace ks::bench
