// SPDX-License-Identifier: Apache-2.0
// Instructions that work on one thread's registers, by their whole name. What a device approximates is exact.
#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <type_traits>

namespace ks::emulator {

using Lanes = std::array<uint64_t, 32>; // a register of every lane, as bits

template <typename F>
void for_lanes(uint32_t lanes, const F &f) {
    for (unsigned lane = 0; lane < 32; lane++)
        if (lanes >> lane & 1) f(lane);
}

// Values of an operand by lane: of a register, or one number for all (stride 0).
struct Source {
    const uint64_t *at;
    unsigned stride;
    uint64_t operator[](unsigned lane) const { return at[lane * stride]; }
};

template <typename T>
T value_of(uint64_t bits) {
    if constexpr (std::is_same_v<T, bool>) return bits != 0;
    T value;
    std::memcpy(&value, &bits, sizeof value); // little-endian
    return value;
}
template <typename T>
uint64_t bits_of(T value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    return bits;
}

struct Arithmetic {
    std::function<void(Lanes &to, const Source *from, uint32_t lanes)> compute;
    size_t sources = 0;
};

// Null for a name that is not known.
const Arithmetic *arithmetic(const std::string &name);

float from_bf16(uint16_t bits);
float from_f16(uint16_t bits);
uint16_t to_bf16(float x); // to nearest, ties to even; NaN is 0x7fff
uint16_t to_f16(float x);

} // namespace ks::emulator
