// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "bench/calls/call.h"
#include "bench/calls/product.h"
#include "bench/operands.h"

namespace ks::bench {

// Copies of packed weights of `bytes` that together are much larger than any last-level cache share of one
// core.
int cold_copies(int64_t bytes);

// y = x W^T. More copies than one keep the weights out of the caches.
struct LinearCall {
    int64_t M, K, N;
    AlignedBytes x, w, y; // f32; x [M, K] and w [N, K] have the values that the kernel sees, y has rows of
                          // packed.padded()
    model::PackedMatrix packed;
    AlignedBytes x_bf16;              // x as the kernel takes it where packed.pairs
    std::vector<AlignedBytes> copies; // of packed.data

    LinearCall(const ks_library &library, int64_t M, int64_t K, int64_t N, DType weight, int copies = 1);

    const AlignedBytes &weights(int i) const; // of call i
    void run(const ks_library &library, int i);
    Work work() const;
};

} // namespace ks::bench
