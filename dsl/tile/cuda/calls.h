// SPDX-License-Identifier: Apache-2.0
// The pseudo-calls between the tensorizing pass and an emitter. Those with effects are Extern, so that LLVM
// keeps their order, and all take an argument: a call without one would be hoisted to the host.
#pragma once
#include "Halide.h"

namespace ks::tile::calls {

// Every thread, once, before the roles part.
constexpr const char *operand = "ks_tile_operand"; // (Operand, an element): the buffer stays an argument
constexpr const char *length = "ks_tile_length";   // (K), where the launch says it
constexpr const char *init = "ks_tile_init";       // (thread): barriers

// Producers.
constexpr const char *producer = "ks_tile_producer"; // (thread): gives registers away
constexpr const char *set_row =
    "ks_tile_set_row"; // (i, element of A): where the i-th row that this thread copies begins
constexpr const char *produce = "ks_tile_produce"; // (first row of A, first row of W for each product)
constexpr const char *join = "ks_tile_join";       // (thread): all blocks of the cluster have begun

// Consumers.
constexpr const char *consumer = "ks_tile_consumer";        // (thread): takes registers
constexpr const char *multiply = "ks_tile_multiply";        // (thread): all of K; accumulators are then sums,
                                                            // where blocks split K those of their own share
constexpr const char *accumulator = "ks_tile_accumulator_"; // and its number: (thread) -> f32
constexpr const char *barrier = "ks_tile_barrier";          // (thread): all consumers
constexpr const char *open_block = "ks_tile_open_block";    // (thread): a store buffer is free
constexpr const char *stage = "ks_tile_stage";              // (column group, half, pair): into the buffer
constexpr const char *store_block = "ks_tile_store_block";  // (row, column of the output): the buffer leaves
constexpr const char *store_quad =
    "ks_tile_store_quad"; // (element of the output, elements behind it, whether to store, four pairs)
constexpr const char *drain = "ks_tile_drain"; // (thread): all that left has arrived

// The number of an accumulator is part of the name because LLVM merges branches whose calls differ only in
// their arguments; the other calls with constants stand under no condition of a thread.

// Anywhere.
constexpr const char *shared_base = "ks_tile_shared_base"; // (thread, bytes of an element) -> elements

enum class Operand { a, w, out };

inline Halide::Internal::Stmt perform(const char *name, const std::vector<Halide::Expr> &arguments) {
    using namespace Halide::Internal;
    return Evaluate::make(Call::make(Halide::Int(32), name, arguments, Call::Extern));
}

} // namespace ks::tile::calls
