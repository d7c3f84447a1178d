// SPDX-License-Identifier: Apache-2.0
// The benchmarks of single ops: generators/<op>_bench.cpp has those of generators/<op>.cpp.
#pragma once
#include "bench/calls/call.h"

namespace ks::bench {

struct Benchmark {
    std::string name;                             // op and sizes, "add/T=512,H=1472"
    std::function<Call(const ks_library &)> make; // operands are made when it is about to run
};
using Benchmarks = std::vector<Benchmark>;

// As a static of an op's file it makes its benchmarks part of the program.
struct Registration {
    Registration(const char *file, void (*add)(Benchmarks &list));
};
Benchmarks all_benchmarks(); // by file, then as added

// Those of published models, so that one look at the table says what a checkpoint will feel.
namespace sizes {
// Mamba-130M, BlackMamba-1.5B, BlackMamba-2.8B, Mamba-2.8B.
constexpr int64_t hidden[] = {768, 1152, 1472, 2560}, inner[] = {1536, 2304, 2944, 5120};
constexpr int64_t states = 16, experts = 8, vocabulary = 50304;
constexpr int64_t prefill = 512; // rows of a chunk
} // namespace sizes

} // namespace ks::bench
