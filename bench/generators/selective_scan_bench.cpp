// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/selective_scan.h"
#include "bench/generators/suite.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int64_t N = sizes::states;

void add_scan(Benchmarks &list, int64_t D, DType io) {
    list.push_back({fmt::format("selective_scan/{}/T={},D={},N={}", name_of(io), sizes::prefill, D, N),
                    [=](const ks_library &library) -> Call {
                        auto o = std::make_shared<ScanOperands>(sizes::prefill, D, N, io);
                        return {[o, &library](int) { o->scan(library); }, o->work(1)};
                    }});
}

void add_update(Benchmarks &list, int64_t S, int64_t D, DType io) {
    list.push_back({fmt::format("selective_state_update/{}/S={},D={},N={}", name_of(io), S, D, N),
                    [=](const ks_library &library) -> Call {
                        auto o = std::make_shared<ScanOperands>(S, D, N, io, S);
                        return {[o, &library](int) { o->update(library); }, o->work(S)};
                    }});
}

const Registration registration("selective_scan", [](Benchmarks &list) {
    for (int64_t D : sizes::inner) add_scan(list, D, DType::f32);
    for (DType io : {DType::bf16, DType::f16}) add_scan(list, 2944, io);
    for (int64_t S : {1, 16})
        for (int64_t D : sizes::inner) add_update(list, S, D, DType::f32);
    for (DType io : {DType::bf16, DType::f16}) add_update(list, 1, 2944, io);
});

} // namespace

} // namespace ks::bench
