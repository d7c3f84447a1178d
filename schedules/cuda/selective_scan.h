// SPDX-License-Identifier: Apache-2.0
// Selective scan on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/selective_scan.h"
#include "schedules/usual.h"

namespace ks::cuda {

Space selective_scan_space(const Spec &spec, const Halide::Target &target);
Kernel selective_scan(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
// Any number of channels that whole blocks divide, with 16 states.
std::vector<UsualKernel> usual_selective_scans(const Spec &base, const Halide::Target &target);

} // namespace ks::cuda
