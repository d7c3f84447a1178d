// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm on cuda: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/norm.h"
#include "schedules/space.h"

namespace ks::cuda {

Space norm_space(const Spec &spec, const Halide::Target &target);
Kernel rms_norm(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Kernel layer_norm(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
