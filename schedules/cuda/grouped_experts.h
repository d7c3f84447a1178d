// SPDX-License-Identifier: Apache-2.0
// The products of all experts on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/grouped_experts.h"
#include "schedules/space.h"

namespace ks::cuda {

Space grouped_expert_up_space(const Spec &spec, const Halide::Target &target);
Kernel grouped_expert_up(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Space grouped_expert_down_space(const Spec &spec, const Halide::Target &target);
Kernel grouped_expert_down(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
bool grouped_experts_in_base_pack(const Spec &spec, const Halide::Target &target);

} // namespace ks::cuda
