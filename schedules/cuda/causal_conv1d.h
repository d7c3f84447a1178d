// SPDX-License-Identifier: Apache-2.0
// Causal convolution on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/causal_conv1d.h"
#include "schedules/space.h"

namespace ks::cuda {

Space causal_conv1d_space(const Spec &spec, const Halide::Target &target);
Kernel causal_conv1d(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

Space causal_conv1d_update_space(const Spec &spec, const Halide::Target &target);
Kernel causal_conv1d_update(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
