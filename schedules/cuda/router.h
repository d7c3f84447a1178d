// SPDX-License-Identifier: Apache-2.0
// Router on CUDA: what may vary, and how it is applied. Up to a number of tokens one launch of one block, a
// warp per expert; above it two launches: a thread per token, then a block per expert.
#pragma once
#include "dsl/kernel.h"
#include "generators/router_by_votes.h"
#include "schedules/space.h"

namespace ks::cuda {

Space router_space(const Spec &spec, const Halide::Target &target);
Kernel router(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
