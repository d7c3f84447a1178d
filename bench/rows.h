// SPDX-License-Identifier: Apache-2.0
// The rows that one core can measure by itself. Each takes `rounds` interleaved rounds.
#pragma once
#include "bench/harness.h"
#include "kingsnake/kingsnake.h"

namespace ks::bench {

struct Context {
    const ks_library &library; // of one thread
    int rounds;
    std::string machine; // CPU, instruction set and versions: goes into every note
    bool wide() const;   // AVX-512 kernels
};

Row selective_scan_row(const Context &context);
Row linear_prefill_row(const Context &context);
Row linear_decode_row(const Context &context, bool bf16);
Row experts_row(const Context &context, int64_t tokens);

// Throws ks::Error with the reason of the last failed call.
void check(ks_status status);

} // namespace ks::bench
