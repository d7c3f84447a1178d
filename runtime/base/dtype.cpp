// SPDX-License-Identifier: Apache-2.0
#include "runtime/base/dtype.h"

namespace ks {

uint16_t f16_of(float f) {
    uint32_t u = bits_of(f), sign = (u >> 16) & 0x8000u, magnitude = u & 0x7fffffffu;
    if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
    if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u); // rounds to at least 65520
    if (magnitude < 0x38800000u) {
        // Subnormal half: adding 0.5 puts the units of 2^-24 at the bottom of the float's mantissa and
        // rounds.
        float shifted = float_of(magnitude) + 0.5f;
        return static_cast<uint16_t>(sign | (bits_of(shifted) - bits_of(0.5f)));
    }
    uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u);
    return static_cast<uint16_t>(sign | ((rounded - 0x38000000u) >> 13));
}

float of_f16(uint16_t h) {
    uint32_t sign = uint32_t(h & 0x8000u) << 16, magnitude = h & 0x7fffu;
    if (magnitude >= 0x7c00u) return float_of(sign | 0x7f800000u | ((magnitude & 0x3ffu) << 13));
    if (magnitude < 0x400u) {
        float value = static_cast<float>(magnitude) * 5.9604644775390625e-8f; // 2^-24
        return float_of(bits_of(value) | sign);
    }
    return float_of(sign | ((magnitude << 13) + 0x38000000u));
}

} // namespace ks
