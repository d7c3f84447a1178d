// SPDX-License-Identifier: Apache-2.0
// The products of an expert on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/experts.h"
#include "schedules/space.h"

namespace ks::x86 {

Space expert_up_space(const Spec &spec, const Halide::Target &target);
Kernel expert_up(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
bool expert_up_in_base_pack(const Spec &spec, const Halide::Target &target);

Space expert_down_space(const Spec &spec, const Halide::Target &target);
Kernel expert_down(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
bool expert_down_in_base_pack(const Spec &spec, const Halide::Target &target);

} // namespace ks::x86
