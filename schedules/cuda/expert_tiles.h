// SPDX-License-Identifier: Apache-2.0
// Tiles of experts on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/expert_tiles.h"
#include "schedules/space.h"

namespace ks::cuda {

Space expert_tiles_space(const Spec &spec, const Halide::Target &target);
Kernel expert_tiles(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
