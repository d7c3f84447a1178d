// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int64_t W = 4;    // taps, of all published models
constexpr int64_t silu = 2; // the bit of flags

// Rows: time steps of one sequence, or sequences of one step.
struct Conv {
    int64_t rows, D;
    DType io;
    int64_t states = 1;
    AlignedBytes x = uniform(rows * D, 1, 1.f, io), y = uniform(rows * D, 2, 1.f, io);
    AlignedBytes weight = uniform(W * D, 3, 0.5f), bias = uniform(D, 4, 0.1f),
                 state = zeros(states * (W - 1) * D);

    template <typename Args>
    Args arguments(const char *op) {
        auto a = model::arguments<Args>();
        a.D = D, a.W = choice_index(op, "W", std::to_string(W)), a.io = choice_index(op, "io", name_of(io));
        a.x = x.data(), a.weight = weight.floats(), a.bias = bias.floats(), a.state = state.floats(),
        a.y = y.data();
        a.flags = silu;
        return a;
    }

    void whole(const ks_library &library) {
        auto a = arguments<ks_causal_conv1d_args>("causal_conv1d");
        a.T = rows, a.sequences = 1;
        model::check(ks_causal_conv1d(&library, &a));
    }

    void update(const ks_library &library) {
        auto a = arguments<ks_causal_conv1d_update_args>("causal_conv1d_update");
        a.S = rows;
        model::check(ks_causal_conv1d_update(&library, &a));
    }

    // An element: W taps; silu is an exponential, a sum, a division. State is read and written.
    Work work() const {
        auto elements = static_cast<double>(rows * D), channels = static_cast<double>(D);
        return {elements * 2 * (W + 2), elements,
                elements * 2 * static_cast<double>(size_of(io)) +
                    channels * 4 * static_cast<double>(W + 1 + 2 * states * (W - 1))};
    }
};

void add_whole(Benchmarks &list, int64_t D, DType io) {
    list.push_back({fmt::format("causal_conv1d/{}/T={},D={},W={}", name_of(io), sizes::prefill, D, W),
                    [=](const ks_library &library) -> Call {
                        auto conv = std::make_shared<Conv>(Conv{sizes::prefill, D, io});
                        return {[conv, &library](int) { conv->whole(library); }, conv->work()};
                    }});
}

void add_update(Benchmarks &list, int64_t S, int64_t D, DType io) {
    list.push_back({fmt::format("causal_conv1d_update/{}/S={},D={},W={}", name_of(io), S, D, W),
                    [=](const ks_library &library) -> Call {
                        auto conv = std::make_shared<Conv>(Conv{S, D, io, S});
                        return {[conv, &library](int) { conv->update(library); }, conv->work()};
                    }});
}

const Registration registration("causal_conv1d", [](Benchmarks &list) {
    for (int64_t D : sizes::inner) add_whole(list, D, DType::f32);
    for (DType io : {DType::bf16, DType::f16}) add_whole(list, 2944, io);
    for (int64_t S : {1, 16})
        for (int64_t D : sizes::inner) add_update(list, S, D, DType::f32);
    for (DType io : {DType::bf16, DType::f16}) add_update(list, 1, 2944, io);
});

} // namespace

} // namespace ks::bench
