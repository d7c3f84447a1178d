// SPDX-License-Identifier: Apache-2.0
// The emitter of calls::store_quad.
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/code.h"

namespace ks::tile {

// Transposes four words between the lanes of each quad and stores the four that a lane then has, at
// %ks_out, the address of the output.
void store_quad(Code &code, const ptx::PseudoCall &call);

} // namespace ks::tile
