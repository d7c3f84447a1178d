// SPDX-License-Identifier: Apache-2.0
// Matrix product with packed weights on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/linear.h"
#include "schedules/space.h"

namespace ks::x86 {

Space linear_space(const Spec &spec, const Halide::Target &target);
Kernel linear(const Spec &spec, const Knobs &knobs, const Halide::Target &target);
bool linear_in_base_pack(const Spec &spec, const Halide::Target &target);

// The knobs of a register tile over panels of `panel` lanes in `parts` parts, and their meaning.
Space register_tile_space(int panel, int parts, const Spec &spec, const Halide::Target &target);
RegisterTile register_tile(int panel, int parts, const Knobs &knobs, const Halide::Target &target);
// Whether a pack carries base kernels whose panels hold so many lanes for each step of k, all parts together.
bool panel_in_base_pack(int lanes, const Spec &spec, const Halide::Target &target);

} // namespace ks::x86
