// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

struct Embedding {
    int64_t T, H;
    DType weight;
    AlignedBytes table = uniform(sizes::vocabulary * H, 1, 1.f, weight), y = zeros(T * H);
    std::vector<int32_t> ids = std::vector<int32_t>(static_cast<size_t>(T));

    // Another stretch of the table with every call, scattered: rows come from memory.
    void run(const ks_library &library, int call) {
        for (int64_t t = 0; t < T; t++)
            ids[static_cast<size_t>(t)] = static_cast<int32_t>((call * T + t) * 7919 % sizes::vocabulary);
        auto a = model::arguments<ks_embedding_args>();
        a.T = T, a.V = sizes::vocabulary, a.H = H;
        a.weight = choice_index("embedding", "weight", name_of(weight));
        a.ids = ids.data(), a.table = table.data(), a.y = y.floats();
        model::check(ks_embedding(&library, &a));
    }

    Work work() const {
        auto elements = static_cast<double>(T * H);
        return {0, 0, elements * (4 + static_cast<double>(size_of(weight))) + 4 * static_cast<double>(T),
                true};
    }
};

const Registration registration("embedding", [](Benchmarks &list) {
    for (DType weight : {DType::f32, DType::bf16, DType::f16})
        for (int64_t T : {int64_t{1}, sizes::prefill})
            list.push_back(
                {fmt::format("embedding/{}/T={},V={},H=1472", name_of(weight), T, sizes::vocabulary),
                 [=](const ks_library &library) -> Call {
                     auto embedding = std::make_shared<Embedding>(Embedding{T, 1472, weight});
                     return {[embedding, &library](int i) { embedding->run(library, i); }, embedding->work()};
                 }});
});

} // namespace

} // namespace ks::bench
