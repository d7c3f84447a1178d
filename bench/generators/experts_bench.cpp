// SPDX-License-Identifier: Apache-2.0
// Each product of an expert by itself; experts take turns, so that their weights come from memory.
#include "bench/calls/experts.h"
#include "bench/generators/suite.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

// Even the smallest weights, 7 MB of each, are together larger than the caches.
constexpr int64_t E = sizes::experts;

struct Shape {
    int64_t R, H, F; // R: rows of every expert
    DType weight;
};

std::shared_ptr<ExpertsCall> experts_of(const ks_library &library, const Shape &s) {
    auto call = std::make_shared<ExpertsCall>(library, ExpertWeights(E, s.H, s.F), E * s.R, s.weight);
    call->run(library); // leaves rows for `up`, hidden values for `down`
    return call;
}

void add(Benchmarks &list, const Shape &s) {
    list.push_back({fmt::format("expert_up/{}/R={},K={},N={}", name_of(s.weight), s.R, s.H, s.F),
                    [=](const ks_library &library) -> Call {
                        auto call = experts_of(library, s);
                        return {[call, &library](int i) { call->up(library, static_cast<size_t>(i) % E); },
                                call->up_work(0)};
                    }});
    list.push_back({fmt::format("expert_down/{}/R={},K={},N={}", name_of(s.weight), s.R, s.F, s.H),
                    [=](const ks_library &library) -> Call {
                        auto call = experts_of(library, s);
                        return {[call, &library](int i) { call->down(library, static_cast<size_t>(i) % E); },
                                call->down_work(0)};
                    }});
}

const Registration registration("experts", [](Benchmarks &list) {
    for (int64_t R : {1, 8, 64}) {
        add(list, {R, 1152, 3072, DType::bf16}); // BlackMamba-1.5B
        for (DType weight : {DType::f32, DType::bf16, DType::f16})
            add(list, {R, 1472, 3872, weight}); // BlackMamba-2.8B
    }
});

} // namespace

} // namespace ks::bench
