// SPDX-License-Identifier: Apache-2.0
// The contract between a schedule, the tensorizing pass and an emitter: what one thread block does with
// tensor cores. A block computes a tile of rows x columns by walking over K in steps of one swizzle row; a
// ring of stages in shared memory is filled, by producer threads where there are any, and consumer warpgroups
// multiply from it.
//
// The blocks of a cluster may split K: each sums its own steps of the same tile, `columns` wide; then they
// exchange sums, and each ends with all of K for its share of the columns, neighbouring blocks for
// neighbouring shares. With few rows that gives every multiprocessor a part of the weights, and a part of A
// instead of all.
#pragma once
#include "dsl/storage.h"

namespace ks::tile {

// Fixed by the hardware (PTX ISA, wgmma and the 128-byte swizzle of tensor maps).
constexpr int warpgroup_threads = 128;
constexpr int slab_rows = 64;          // rows of one wgmma
constexpr int swizzle_row_bytes = 128; // one row of a tile in shared memory
constexpr int step_k = 64;             // elements of K in it, 16 bits each
constexpr int instruction_k = 16;      // elements of K of one wgmma or mma
constexpr int chunk_bytes = 16;        // what a thread copies at a time, and what the swizzle moves
constexpr int chunks_of_row = swizzle_row_bytes / chunk_bytes;
constexpr int store_block_bytes = slab_rows * swizzle_row_bytes; // what one asynchronous store takes
constexpr int store_block_columns = 64;                          // 16-bit results in a row of it
constexpr int quad_columns = 32;                                 // 16 bytes of results for each of four lanes
constexpr int most_shared_bytes = 232448;                        // of a block on compute capability 9.0 ...
constexpr int shared_bytes_everywhere = 101376;                  // ... and on all from 8.0 on
constexpr int registers_of_multiprocessor = 65536;
constexpr int whole_registers(int count) { return count / 8 * 8; } // a thread gets them in eights

// The order in which blocks take tiles.
struct TileOrder {
    int group = 8;    // row tiles that share a column tile before the next one (L2 reuse); 0: all of them
    int resident = 0; // blocks that stay and take tile after tile; 0: a block for each tile
};

// The instructions of the tile operation.
enum class Unit {
    wgmma, // compute capability 9.0: producers copy by tensor maps, results leave by one
    mma,   // 8.0 and later: every thread copies, computes and stores
};

struct TileOp {
    Unit unit = Unit::wgmma;
    Storage storage = Storage::bf16; // of both operands; products are summed in f32
    int K = 0;                       // length of the sums; 0: the launch says it, whole 16 bytes
    int warpgroups = 2;              // consumers
    int slabs = 1;                   // of each warpgroup, one below the other
    int columns = 256;               // accumulator columns, those of all products together
    int products = 1;                // sums side by side in a tile: 2 for gate and up
    int splits = 1;                  // blocks of a cluster, each with its part of K
    int stages = 4;
    bool gathered = false;    // rows of A through an index, by cp.async; else boxes of a tensor map
    bool staged_store = true; // results leave through shared memory and tensor map; else by Halide's stores
    bool quad_store = false;  // of which those of a row are exchanged between four lanes, 16 bytes for each
    int producer_threads = 128;
    // Per thread after the roles part; 0, 0: as at entry.
    int producer_registers = 40, consumer_registers = 232;
    int blocks_per_multiprocessor = 1;
    TileOrder order;

    int rows() const { return slab_rows * slabs * warpgroups; }
    int product_columns() const { return columns / products; }
    int consumers() const { return warpgroup_threads * warpgroups; }
    int threads() const { return consumers() + producer_threads; }
    // Of a thread, before roles part: all that the blocks of a multiprocessor can have.
    int registers_at_entry() const {
        return whole_registers(registers_of_multiprocessor / (blocks_per_multiprocessor * threads()));
    }
    int accumulators() const { return slabs * columns / 2; } // f32 registers of a thread
    // What a block has in the end: columns of each product, and sums of a thread.
    int result_columns() const { return product_columns() / splits; }
    int results() const { return accumulators() / splits; }
    int steps() const { return (K + step_k - 1) / step_k; } // of all blocks of a cluster
    bool ragged_k() const { return !K || K % step_k != 0; } // the last step may be partly zeros

    int a_bytes() const { return rows() * swizzle_row_bytes; }
    int w_bytes() const { return columns * swizzle_row_bytes; }
    int stage_bytes() const { return a_bytes() + w_bytes(); }
};

// Rows of an operand that so many threads copy at a time.
constexpr int copied_rows(int threads) { return threads / chunks_of_row; }

// Throws ks::Error that names the limit a tile operation breaks: a combination that the hardware has not, too
// much shared memory, too many registers.
void check(const TileOp &op);

} // namespace ks::tile
