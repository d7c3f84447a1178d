// SPDX-License-Identifier: Apache-2.0
// The emitter for sm_90a: what the pseudo-calls of a tile kernel are in wgmma, tensor maps and mbarriers.
//
// Between the calls live, in registers of the whole kernel (declared in with_entry):
//   %ks_base                 first byte of the shared memory, SharedLayout
//   %ks_k, %ks_steps         length of the sums and its steps, where the launch says it
//   %ks_acc<n>               accumulators of a consumer
//   %ks_slot, %ks_phase      place in the ring, of every thread
//   %ks_a, %ks_row<i>        address of A and the rows that a producer copies, when they are gathered
//   %ks_cell, %ks_open       where a consumer stages a pair: in its first store buffer; in the one it fills
//   %ks_other, %ks_leader    which of the two that is; whether this thread sends it
//   %ks_group_barrier        named barrier of the warpgroup
//   %ks_rank                 of the block in its cluster, where blocks split K
//   %ks_step, %ks_end_step   the steps of K that are the block's
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/code.h"
#include "dsl/tile/cuda/tile_op.h"

namespace ks::tile::wgmma {

// Parameters that the kernel gets behind Halide's.
constexpr const char *map_of_a = "ks_map_a", *map_of_w = "ks_map_w", *map_of_out = "ks_map_out";

// Architecture and versions of PTX that have all this, and clusters besides.
constexpr const char *arch = "sm_90a", *ptx_version = "8.0", *cluster_ptx_version = "8.1";

std::map<std::string, ptx::Expansion> expansions(const TileOp &op);

// Parts of it: each appends the instructions of one pseudo-call.
void produce(Code &code, const TileOp &op, const ptx::PseudoCall &call);
void multiply(Code &code, const TileOp &op);
void begin_exchange(Code &code, const TileOp &op); // every thread, where blocks split K
void join(Code &code);
void exchange(Code &code, const TileOp &op);     // at the end of a consumer's sums
void begin_stores(Code &code, const TileOp &op); // at the start of a consumer
void open_block(Code &code);
void stage(Code &code, const ptx::PseudoCall &call);
void store_block(Code &code, const TileOp &op, const ptx::PseudoCall &call);

// The text with what a tile kernel needs around its calls: its architecture, launch bounds, parameters and
// registers. Throws ks::Error when it holds not exactly one kernel, or one that TensorizePass has not
// made.
std::string with_entry(const std::string &ptx, const TileOp &op);

} // namespace ks::tile::wgmma
