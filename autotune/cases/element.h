// SPDX-License-Identifier: Apache-2.0
// One element of an operand in memory, as a double. Rounded by the oracles' arithmetic, not by the project's.
#pragma once
#include "tests/oracles/rounding.h"
#include <cstdint>
#include <cstring>
#include <string>

namespace ks::cases {

inline size_t element_size(const std::string &storage) {
    return storage == "f32" || storage == "i32" ? 4 : 2;
}

inline void put_element(const std::string &storage, void *to, double v) {
    if (storage == "f16") {
        auto half = static_cast<_Float16>(oracle::to_f16(v));
        std::memcpy(to, &half, 2);
    } else if (storage == "i32") {
        auto whole = static_cast<int32_t>(v);
        std::memcpy(to, &whole, 4);
    } else {
        auto real = static_cast<float>(storage == "bf16" ? oracle::to_bf16(v) : v);
        size_t size = element_size(storage);
        std::memcpy(to, reinterpret_cast<char *>(&real) + 4 - size, size); // bf16: the upper half
    }
}

inline double element_at(const std::string &storage, const void *from) {
    if (storage == "f16") {
        _Float16 half;
        std::memcpy(&half, from, 2);
        return static_cast<double>(half);
    }
    if (storage == "i32") {
        int32_t whole;
        std::memcpy(&whole, from, 4);
        return whole;
    }
    float real = 0;
    size_t size = element_size(storage);
    std::memcpy(reinterpret_cast<char *>(&real) + 4 - size, from, size);
    return real;
}

} // namespace ks::cases
