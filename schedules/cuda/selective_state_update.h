// SPDX-License-Identifier: Apache-2.0
// One step of the selective scan on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/selective_scan.h"
#include "schedules/usual.h"

namespace ks::cuda {

Space selective_state_update_space(const Spec &spec, const Halide::Target &target);
Kernel selective_state_update(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
// 16 states and any number of channels that whole vectors divide, of which a thread takes neighbours.
std::vector<UsualKernel> usual_selective_state_updates(const Spec &base, const Halide::Target &target);

} // namespace ks::cuda
