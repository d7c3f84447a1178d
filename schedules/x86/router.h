// SPDX-License-Identifier: Apache-2.0
// Router on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/router.h"
#include "schedules/space.h"

namespace ks::x86 {

Space router_space(const Spec &spec, const Halide::Target &target);
Kernel router(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::x86
