// SPDX-License-Identifier: Apache-2.0
// Ceilings: a loop that only reads memory, and one that only multiplies and adds in registers.
#pragma once
#include <cstddef>

namespace ks::bench {

// Adds `count` floats (a multiple of 1024) with the array cut into 1, 2 or 4 parts that are read side by
// side: how many streams the prefetchers like best depends on the CPU, so measure all and take the fastest.
float read_loop(const float *p, size_t count, int streams);

// `steps` times 12 independent vector FMAs; returns the floating-point operations done.
double fma_loop(long steps);

} // namespace ks::bench
