// SPDX-License-Identifier: Apache-2.0
// The knob that every tuned kernel has beside those of its schedule: whether it fixes its widths. With
// widths=any and default knobs a candidate is the kernel that runs where no rule applies (default_spec() in
// schedules/registry.h): the default that all others are measured against.
#pragma once
#include "autotune/dispatch.h"
#include "autotune/pack/build.h"

namespace ks::tune {

Space space_of(const std::string &op, const Spec &spec, const std::string &isa);
pack::PackKernel kernel_of(const Candidate &candidate); // what to build; its box is empty

// The kernels of a dispatch table for these targets, boxes set: those of its rules, then the default of
// every tuned spec, for the calls in which nothing beat it. A rule for another version of its op is left out
// and named in `stale`.
std::vector<pack::PackKernel> tuned_kernels(const Table &table, const std::vector<std::string> &isas,
                                            std::vector<std::string> &stale);

} // namespace ks::tune
