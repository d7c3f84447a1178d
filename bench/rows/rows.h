// SPDX-License-Identifier: Apache-2.0
// The rows that one core can measure by itself. Each takes `rounds` interleaved rounds.
#pragma once
#include "bench/calls/call.h"
#include "bench/row.h"
#include "runtime/base/dtype.h"

namespace ks::bench {

struct Context {
    const ks_library &library; // of one thread
    int rounds;
    std::string machine; // CPU, instruction set and versions: goes into every note
    bool wide() const;   // AVX-512 kernels
};

// `id` is left to the caller.
Row selective_scan_row(const Context &context);
Row linear_prefill_row(const Context &context, DType weight);
Row linear_decode_row(const Context &context, DType weight);
Row experts_row(const Context &context, int64_t tokens);
Row tuned_row(const Context &context);
Row tuned_ceiling_row(const Context &context);

} // namespace ks::bench
