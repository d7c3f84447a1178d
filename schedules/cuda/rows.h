// SPDX-License-Identifier: Apache-2.0
// Ops without a sum, bound by memory, on CUDA: a thread per element, or per element of a few rows.
#pragma once
#include "dsl/contract.h"
#include "dsl/kernel.h"
#include "schedules/space.h"

namespace ks::cuda {

Space rows_space(const Spec &spec, const Halide::Target &target);
Kernel add(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Kernel embedding(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
Kernel gather_rows(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::cuda
