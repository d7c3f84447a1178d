// SPDX-License-Identifier: Apache-2.0
// Sinkhorn assignment on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/sinkhorn.h"
#include "schedules/space.h"

namespace ks::cuda {

Space sinkhorn_space(const Spec &spec, const Halide::Target &target);
Kernel sinkhorn_start(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Kernel sinkhorn_pass(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Kernel sinkhorn_plan(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
