// SPDX-License-Identifier: Apache-2.0
// Values of measured calls, and what their results must be close to.
#pragma once
#include "runtime/base/aligned.h"
#include "runtime/base/dtype.h"
#include <cstdint>
#include <string>
#include <vector>

namespace ks::bench {

// f32, zero.
AlignedBytes zeros(int64_t count);
// Uniform in (-scale, scale), never zero; the same for the same seed. `dtype` is f32, bf16 or f16.
AlignedBytes uniform(int64_t count, unsigned seed, float scale, DType dtype = DType::f32);

// Throws ks::Error(who, ...) unless every |got - wanted| <= bound * max |wanted|.
void expect_close(const std::string &who, const std::vector<double> &got, const std::vector<double> &wanted,
                  double bound);

} // namespace ks::bench
