// SPDX-License-Identifier: Apache-2.0
// What one core of this machine can do, measured: the floor under every time that the tuner reports.
#pragma once
#include "autotune/tasks.h"
#include <string>

namespace ks::tune {

struct Ceiling {
    double flops;      // per second: f32 fused multiply-adds in registers, two flops each
    double pair_flops; // per second: dot products of bf16 pairs in registers, four flops each; 0 without them
    double cached_bytes; // per second, reading an array that fits the second-level cache
    double memory_bytes; // per second, reading an array that fits no cache
};

Ceiling measure_ceiling(const std::string &isa); // about 0.3 s

// Least seconds that this work takes; weights come from memory when `cold`.
double floor_seconds(const Ceiling &ceiling, const Work &work, bool cold);

} // namespace ks::tune
