// SPDX-License-Identifier: Apache-2.0
#include "bench/calls/product.h"

namespace ks::bench {

model::PackedMatrix pack_product(const ks_library &library, const std::string &op,
                                 const std::map<std::string, std::string> &choices, const float *w,
                                 int64_t outputs, int64_t inputs, DType weight, int parts) {
    io::Tensor tensor{"weights",
                      DType::f32,
                      {outputs, inputs},
                      reinterpret_cast<const std::byte *>(w),
                      static_cast<size_t>(outputs * inputs) * sizeof(float)};
    return model::pack_matrix(library, op, choices, tensor, weight, parts);
}

} // namespace ks::bench
