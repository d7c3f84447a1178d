// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/linear.h"
#include "bench/generators/suite.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

// Up to this many rows the weights are streamed from memory, as in decode; above, one copy is used again.
constexpr int64_t decode_rows = 16;

void add(Benchmarks &list, int64_t M, int64_t K, int64_t N, DType weight) {
    list.push_back({fmt::format("linear/{}/M={},K={},N={}", name_of(weight), M, K, N),
                    [=](const ks_library &library) -> Call {
                        int64_t bytes = K * N * static_cast<int64_t>(size_of(weight));
                        int copies = M <= decode_rows ? cold_copies(bytes) : 1;
                        auto p = std::make_shared<LinearCall>(library, M, K, N, weight, copies);
                        return {[p, &library](int i) { p->run(library, i); }, p->work()};
                    }});
}

const Registration registration("linear", [](Benchmarks &list) {
    for (DType weight : {DType::f32, DType::bf16, DType::f16})
        for (int64_t M : {int64_t{1}, int64_t{8}, decode_rows, sizes::prefill}) {
            for (int64_t H : sizes::hidden)
                if (H != 2560 || weight == DType::bf16) add(list, M, H, 4 * H, weight); // in_proj
            add(list, M, 2944, 1472, weight);                                           // out_proj
            add(list, M, 2944, 124, weight);                                            // x_proj: dt, B and C
        }
});

} // namespace

} // namespace ks::bench
