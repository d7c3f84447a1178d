// SPDX-License-Identifier: Apache-2.0
// How a block computes its part of a product of few rows (row_product.h).
#pragma once
#include "dsl/storage.h"

namespace ks::tile {

enum class RowUnit {
    fma, // any storage: lanes of a warp share K, each with an f32 sum of its own
    mma, // both operands bf16, or both f16: the weights are the tall factor of mma.sync m16n8k16
};

struct RowPlan {
    RowUnit unit = RowUnit::mma;
    int rows = 8; // of x in one pass over the weights; mma: a multiple of 8, where unused ones cost nothing
    int columns = 1;  // of a thread in flight; mma: groups of 16 of a warp
    int groups = 1;   // of threads side by side, each with columns of its own
    int slices = 8;   // of K, each with threads of its own
    int lanes = 32;   // fma: threads of a slice
    int vector = 8;   // elements of K that a thread loads at a time, at most 16 bytes of weights; divides K
    int steps = 1;    // neighbouring vectors of a thread, with mma summed up each by itself
    int unroll = 4;   // rounds of such steps without a loop between them
    int prefetch = 0; // bytes of L2 that a load fetches at least: 0 (as the device likes), 64, 128 or 256
    int blocks = 2;   // resident on a multiprocessor, which share its registers

    bool mma() const { return unit == RowUnit::mma; }
    int lanes_of_slice() const { return mma() ? 32 : lanes; }
    int threads() const { return lanes_of_slice() * slices * groups; }
    int block_columns() const { return groups * columns * (mma() ? 16 : 1); }
    // Neighbouring vectors that the threads of one slice load at once, each of another part of K.
    int vectors_across() const { return mma() ? 4 : lanes; }
    // Of the sums that meet there, of so many products.
    int shared_bytes(int parts) const {
        int lanes_stored = mma() ? 1 : lanes + 4, sums = block_columns() * rows * slices * parts;
        return 4 * sums * lanes_stored * (mma() ? 5 : 4) / 4; // padded against bank conflicts
    }
    int round() const { return slices * steps * vectors_across() * vector; } // elements of K
};

// Throws ks::Error that names what is wrong with a plan for operands of that storage. K 0: not known.
void check(const RowPlan &plan, Storage x, Storage w, int K, int parts = 1);

} // namespace ks::tile
