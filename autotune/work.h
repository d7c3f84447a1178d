// SPDX-License-Identifier: Apache-2.0
// What a kernel has to do at least, for reports and for the time that an oracle takes. Ops that are tuned
// have their work here; the others have no knobs that matter.
#pragma once
#include "autotune/tune.h"

namespace ks::tune {

// Flops and bytes that the op cannot avoid at a shape; exps count as the multiplications of a degree-5
// polynomial.
struct Work {
    double flops, bytes;
    bool pairs = false;   // flops are dot products of bf16 pairs
    double footprint = 0; // bytes that calls go through before they come back to the same: what decides which
                          // cache they are read from; 0: those of one call, in the nearest
};
bool can_tune(const std::string &op);
Work work_of(const Task &task, const Dims &shape); // of an op that can be tuned

} // namespace ks::tune
