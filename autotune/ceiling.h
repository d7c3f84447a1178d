// SPDX-License-Identifier: Apache-2.0
// What one core of this machine can do, measured: the floor under every time that the tuner reports.
#pragma once
#include "autotune/work.h"
#include <string>
#include <utility>
#include <vector>

namespace ks::tune {

struct Ceiling {
    double flops;      // per second: f32 fused multiply-adds in registers, two flops each
    double pair_flops; // per second: dot products of bf16 pairs in registers, four flops each; 0 without them
    // Bytes per second of reading an array again and again, by its bytes, ascending: from one that fits the
    // second-level cache to one that fits none.
    std::vector<std::pair<double, double>> reads;
    double cached_bytes() const { return reads.front().second; }
    double memory_bytes() const { return reads.back().second; }
};

Ceiling measure_ceiling(const std::string &isa); // about 0.3 s

// Least seconds that this work takes, its bytes read at the rate of the largest array within its footprint.
double floor_seconds(const Ceiling &ceiling, const Work &work);

} // namespace ks::tune
