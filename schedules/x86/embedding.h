// SPDX-License-Identifier: Apache-2.0
// Embedding on x86: what may vary, and how it is applied.
#pragma once
#include "dsl/kernel.h"
#include "generators/embedding.h"
#include "schedules/space.h"

namespace ks::x86 {

Space embedding_space(const Spec &spec, const Halide::Target &target);
Kernel embedding(const Spec &spec, const Knobs &knobs, const Halide::Target &target);

} // namespace ks::x86
