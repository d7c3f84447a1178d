// SPDX-License-Identifier: Apache-2.0
// Add on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/add.h"
#include "schedules/space.h"

namespace ks::x86 {

Space add_space(const Spec &spec, const Halide::Target &target);
Kernel add(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::x86
