// SPDX-License-Identifier: Apache-2.0
#include "bench/operands.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cmath>

namespace ks::bench {

AlignedBytes zeros(int64_t count) { return AlignedBytes(static_cast<size_t>(count) * sizeof(float)); }

AlignedBytes uniform(int64_t count, unsigned seed, float scale, DType dtype) {
    AlignedBytes values(static_cast<size_t>(count) * size_of(dtype));
    auto *half = reinterpret_cast<uint16_t *>(values.data());
    uint64_t z = seed * 0x9E3779B97F4A7C15ull + 1; // xorshift
    for (int64_t i = 0; i < count; i++) {
        z ^= z << 13, z ^= z >> 7, z ^= z << 17;
        float value = scale * static_cast<float>(static_cast<int32_t>(z >> 32)) * (1.f / 2147483648.f);
        if (value == 0) value = scale / 2;
        if (dtype == DType::f32)
            values.floats()[i] = value;
        else
            half[i] = dtype == DType::bf16 ? bf16_of(value) : f16_of(value);
    }
    return values;
}

void expect_close(const std::string &who, const std::vector<double> &got, const std::vector<double> &wanted,
                  double bound) {
    double largest = 0;
    for (double w : wanted) largest = std::max(largest, std::fabs(w));
    if (got.size() != wanted.size() || largest == 0) throw Error(who, "nothing to compare");
    for (size_t i = 0; i < got.size(); i++)
        if (!(std::fabs(got[i] - wanted[i]) <= bound * largest)) // catches NaN too
            throw Error(who,
                        "is wrong: " + std::to_string(got[i]) + " instead of " + std::to_string(wanted[i]));
}

} // namespace ks::bench
