// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

// Every eighth row: what one expert of eight takes.
struct GatherRows {
    int64_t T, K;
    std::vector<int32_t> rows;
    AlignedBytes x, y;

    GatherRows(int64_t tokens, int64_t width) : T(tokens), K(width), x(uniform(T * K, 1, 1.f)) {
        for (int64_t t = 0; t < T; t += sizes::experts) rows.push_back(static_cast<int32_t>(t));
        y = zeros(static_cast<int64_t>(rows.size()) * K);
    }

    void run(const ks_library &library) {
        auto a = model::arguments<ks_gather_rows_args>();
        a.T = T, a.R = static_cast<int64_t>(rows.size()), a.K = K;
        a.x = x.floats(), a.rows = rows.data(), a.y = y.floats();
        model::check(ks_gather_rows(&library, &a));
    }
};

const Registration registration("gather_rows", [](Benchmarks &list) {
    for (int64_t K : {1152, 1472})
        for (int64_t T : {64, 512})
            list.push_back({fmt::format("gather_rows/T={},R={},K={}", T, T / sizes::experts, K),
                            [=](const ks_library &library) -> Call {
                                auto gather = std::make_shared<GatherRows>(T, K);
                                auto taken = static_cast<double>(gather->rows.size());
                                return {[gather, &library](int) { gather->run(library); },
                                        {0, 0, taken * (8 * static_cast<double>(K) + 4)}};
                            }});
});

} // namespace

} // namespace ks::bench
