// SPDX-License-Identifier: Apache-2.0
// Element types of checkpoints and arrays, and the scalar conversions between float and 16-bit storage.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ks {

enum class DType : uint8_t { f32, bf16, f16, f64, i64, i32, i16, i8, u8, boolean };

constexpr size_t size_of(DType t) {
    switch (t) {
    case DType::f64:
    case DType::i64:
        return 8;
    case DType::f32:
    case DType::i32:
        return 4;
    case DType::bf16:
    case DType::f16:
    case DType::i16:
        return 2;
    default:
        return 1;
    }
}

constexpr const char *name_of(DType t) {
    constexpr const char *names[] = {"f32", "bf16", "f16", "f64", "i64", "i32", "i16", "i8", "u8", "bool"};
    return names[static_cast<int>(t)];
}

inline uint32_t bits_of(float f) {
    uint32_t u;
    std::memcpy(&u, &f, 4);
    return u;
}
inline float float_of(uint32_t u) {
    float f;
    std::memcpy(&f, &u, 4);
    return f;
}

// Round to nearest even; NaN stays NaN (made quiet), infinity stays infinity.
inline uint16_t bf16_of(float f) {
    uint32_t u = bits_of(f);
    if ((u & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((u >> 16) | 0x40);
    return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
inline float of_bf16(uint16_t h) { return float_of(uint32_t{h} << 16); }

uint16_t f16_of(float f); // round to nearest even, subnormals kept, overflow to infinity
float of_f16(uint16_t h);

} // namespace ks
