// SPDX-License-Identifier: Apache-2.0
// Weights of the products (linear, expert_up, expert_down) as the runtime packs them.
#pragma once
#include "runtime/model/packed.h"

namespace ks::bench {

// From `w`, f32 [outputs, inputs], as model::pack_matrix does it. Throws ks::Error.
model::PackedMatrix pack_product(const ks_library &library, const std::string &op,
                                 const std::map<std::string, std::string> &choices, const float *w,
                                 int64_t outputs, int64_t inputs, DType weight, int parts = 1);

// Bytes of one activation that the product takes.
inline double activation_bytes(const model::PackedMatrix &w) { return w.pairs ? 2 : 4; }

} // namespace ks::bench
