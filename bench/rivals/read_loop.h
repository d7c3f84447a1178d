// SPDX-License-Identifier: Apache-2.0
// Ceilings: a loop that only reads memory, and one that only multiplies and adds in registers.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

namespace ks::bench {

// Adds `count` floats (a multiple of 1024) with the array cut into 1, 2 or 4 parts that are read side by
// side: how many streams the prefetchers like best depends on the CPU, so measure all and take the fastest.
float read_loop(const float *p, size_t count, int streams);

struct Reader {
    const char *name;
    int streams;
};
constexpr Reader readers[] = {{"1 stream", 1}, {"2 streams", 2}, {"4 streams", 4}};
std::vector<std::string> reader_names();

// `steps` times 12 independent FMAs of 512 bits (`wide`; not on a CPU without AVX-512) or 256; returns the
// floating-point operations done.
double fma_loop(long steps, bool wide);
// The same of 512-bit dot products of bf16 pairs, on a CPU that has them: four operations a lane.
double pair_loop(long steps);

} // namespace ks::bench
