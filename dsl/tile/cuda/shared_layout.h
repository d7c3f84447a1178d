// SPDX-License-Identifier: Apache-2.0
// Where things lie in the dynamic shared memory of a tile kernel, in bytes from a base that is a multiple of
// the swizzle atom. Halide's own shared memory follows behind.
#pragma once
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile {

struct SharedLayout {
    static constexpr int atom = 1024;                      // the 128-byte swizzle repeats after 8 rows
    static constexpr int barrier_bytes = 8;                // one mbarrier
    static constexpr int full = 0;                         // mbarrier of each stage: its bytes have arrived
    static constexpr int empty = atom / 2;                 // mbarrier of each stage: its readers are done
    static constexpr int exchanged = atom - barrier_bytes; // mbarrier: sums of the cluster's others are here
    static constexpr int most_stages = (exchanged - empty) / barrier_bytes;
    static constexpr int ring = atom;       // the stages: A, then W
    static constexpr int store_buffers = 2; // of each warpgroup: one fills while the other drains

    explicit SharedLayout(const TileOp &op)
        : staging(ring + op.stages * op.stage_bytes()),
          exchange(staging + (op.staged_store ? op.warpgroups * store_buffers * store_block_bytes : 0)),
          halide(exchange + (op.splits - 1) * exchange_bytes(op)) {}

    // What a block of a cluster gets from each other one.
    static int exchange_bytes(const TileOp &op) {
        return op.results() * static_cast<int>(sizeof(float)) * op.consumers();
    }

    int staging;  // store buffers
    int exchange; // sums from the other blocks of a cluster
    int halide;   // Halide's GPUShared allocations, in the layout that it gives them

    // What a launch adds to Halide's own bytes. The base is rounded up to the atom.
    int launch_bytes() const { return atom + halide; }
};

} // namespace ks::tile
