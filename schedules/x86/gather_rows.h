// SPDX-License-Identifier: Apache-2.0
// Gathering of rows on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/gather_rows.h"
#include "schedules/space.h"

namespace ks::x86 {

Space gather_rows_space(const Spec &spec, const Halide::Target &target);
Kernel gather_rows(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::x86
