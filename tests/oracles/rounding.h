// SPDX-License-Identifier: Apache-2.0
// Rounding of doubles to the values that bf16 and f16 storage can hold, by arithmetic rather than by bits.
#pragma once
#include <vector>

namespace ks::oracle {

// What a value is rounded to before it goes on; `none` keeps the double.
enum class Rounding { none, bf16, f16 };

// Nearest representable value, ties to even, through float first (as kernels that compute in fp32 do).
// Subnormals are kept, overflow gives infinity, NaN and infinity pass through.
double to_bf16(double v);
double to_f16(double v);

double rounded(double v, Rounding to);
std::vector<double> rounded(std::vector<double> v, Rounding to); // elementwise

} // namespace ks::oracle
