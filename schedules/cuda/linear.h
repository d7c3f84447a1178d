// SPDX-License-Identifier: Apache-2.0
// Matrix product with weights in rows on CUDA: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/linear.h"
#include "schedules/usual.h"

namespace ks::cuda {

Space linear_space(const Spec &spec, const Halide::Target &target);
Kernel linear(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
bool linear_in_base_pack(const Spec &spec, const Halide::Target &target);
// Of widths that are multiples of eight.
std::vector<UsualKernel> usual_linears(const Spec &base, const Halide::Target &target);

} // namespace ks::cuda
