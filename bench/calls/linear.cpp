// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/linear.h"
#include "runtime/model/ops.h"

namespace ks::bench {

namespace {

constexpr int64_t beyond_caches = 384 << 20;

// Puts back into f32 what `storage` can hold.
void round_to(AlignedBytes &values, DType storage) {
    for (size_t i = 0; i < values.size() / sizeof(float); i++) {
        float &value = values.floats()[i];
        if (storage == DType::bf16) value = of_bf16(bf16_of(value));
        if (storage == DType::f16) value = of_f16(f16_of(value));
    }
}

} // namespace

int cold_copies(int64_t bytes) { return static_cast<int>((beyond_caches + bytes - 1) / bytes); }

LinearCall::LinearCall(const ks_library &library, int64_t rows, int64_t inputs, int64_t outputs, DType weight,
                       int copies_)
    : M(rows), K(inputs), N(outputs), x(uniform(M * K, 1, 1.f)), w(uniform(N * K, 2, 0.05f)) {
    round_to(w, weight);
    packed = pack_product(library, "linear", {}, w.floats(), N, K, weight);
    if (packed.pairs) {
        round_to(x, DType::bf16);
        x_bf16 = uniform(M * K, 1, 1.f, DType::bf16);
    }
    for (int i = 1; i < copies_; i++) {
        copies.emplace_back(packed.data.size());
        std::memcpy(copies.back().data(), packed.data.data(), packed.data.size());
    }
    y = zeros(M * packed.padded());
}

const AlignedBytes &LinearCall::weights(int i) const {
    size_t turn = static_cast<size_t>(i) % (copies.size() + 1);
    return turn ? copies[turn - 1] : packed.data;
}

void LinearCall::run(const ks_library &library, int i) {
    auto a = model::arguments<ks_linear_args>();
    a.M = M, a.K = K, a.P = packed.panels;
    a.io = packed.pairs ? KS_LINEAR_IO_BF16 : KS_LINEAR_IO_F32;
    a.panel = packed.panel_choice, a.weight = packed.weight_choice;
    a.x = (packed.pairs ? x_bf16 : x).data();
    a.w = weights(i).data();
    a.y = y.floats();
    model::check(ks_linear(&library, &a));
}

Work LinearCall::work() const {
    auto m = static_cast<double>(M), k = static_cast<double>(K), n = static_cast<double>(N);
    double bytes = static_cast<double>(packed.data.size()) + m * (activation_bytes(packed) * k + 4 * n);
    return {2 * m * k * n, 0, bytes, packed.pairs, !copies.empty()};
}

} // namespace ks::bench
