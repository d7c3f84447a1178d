// SPDX-License-Identifier: Apache-2.0
#include "bench/generators/suite.h"
#include "bench/operands.h"
#include "runtime/kernels/choose.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int64_t add_residual = 1; // the bit of flags

struct Norm {
    int64_t T, H;
    std::string rounding = "none";
    AlignedBytes hidden = uniform(T * H, 1, 1e-3f); // small: the residual grows with every call
    AlignedBytes residual = uniform(T * H, 2, 1.f), weight = uniform(H, 3, 1.f), bias = uniform(H, 4, 1.f),
                 y = zeros(T * H);

    template <typename Args>
    Args arguments(const char *op) {
        auto a = model::arguments<Args>();
        a.T = T, a.H = H, a.rounding = choice_index(op, "rounding", rounding);
        a.hidden = hidden.floats(), a.residual = residual.floats(), a.weight = weight.floats(),
        a.y = y.floats();
        a.flags = add_residual;
        a.eps = 1e-5;
        return a;
    }

    void rms(const ks_library &library) {
        auto a = arguments<ks_rms_norm_args>("rms_norm");
        model::check(ks_rms_norm(&library, &a));
    }

    void layer(const ks_library &library) {
        auto a = arguments<ks_layer_norm_args>("layer_norm");
        a.bias = bias.floats();
        model::check(ks_layer_norm(&library, &a));
    }

    // The residual is read and written. `flops` of an element.
    Work work(double flops) const {
        auto elements = static_cast<double>(T * H);
        return {elements * flops, 0, 16 * elements};
    }
};

void add_rms(Benchmarks &list, int64_t T, int64_t H, const std::string &rounding) {
    list.push_back(
        {fmt::format("rms_norm/{}/T={},H={}", rounding, T, H), [=](const ks_library &library) -> Call {
             auto norm = std::make_shared<Norm>(Norm{T, H, rounding});
             // Sum, square, two products.
             return {[norm, &library](int) { norm->rms(library); }, norm->work(8)};
         }});
}

void add_layer(Benchmarks &list, int64_t T, int64_t H) {
    list.push_back({fmt::format("layer_norm/none/T={},H={}", T, H), [=](const ks_library &library) -> Call {
                        auto norm = std::make_shared<Norm>(Norm{T, H});
                        // Two sums, difference, square, two products.
                        return {[norm, &library](int) { norm->layer(library); }, norm->work(12)};
                    }});
}

const Registration registration("norm", [](Benchmarks &list) {
    for (int64_t T : {int64_t{1}, sizes::prefill}) {
        for (int64_t H : sizes::hidden) add_rms(list, T, H, "none");
        for (const char *rounding : {"bf16", "hf_bf16"}) add_rms(list, T, 1472, rounding);
        for (int64_t H : {1152, 1472}) add_layer(list, T, H);
    }
});

} // namespace

} // namespace ks::bench
