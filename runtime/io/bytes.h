// SPDX-License-Identifier: Apache-2.0
// What every reader of untrusted bytes needs: checked sizes, little-endian loads, names made safe to print.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace ks::io {

// Stores the result and returns true, or returns false on overflow.
inline bool checked_add(uint64_t a, uint64_t b, uint64_t &out) { return !__builtin_add_overflow(a, b, &out); }
inline bool checked_mul(uint64_t a, uint64_t b, uint64_t &out) { return !__builtin_mul_overflow(a, b, &out); }

// True when [offset, offset + count) lies inside [0, size).
inline bool fits(uint64_t offset, uint64_t count, uint64_t size) {
    return offset <= size && count <= size - offset;
}

// All formats read here are little-endian and so are all hosts that Kingsnake supports.
template <typename T>
T load_le(const std::byte *at) {
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the readers assume a little-endian host");
    T value;
    std::memcpy(&value, at, sizeof(T));
    return value;
}

// A name taken from a file, quoted, shortened and with everything but printable ASCII escaped: one line.
inline std::string shown(std::string_view text, size_t limit = 80) {
    std::string out = "'";
    for (size_t i = 0; i < text.size(); ++i) {
        if (i == limit) return out + "'...";
        auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x7f) {
            out += static_cast<char>(c);
            continue;
        }
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", c);
        out += escaped;
    }
    return out + "'";
}

} // namespace ks::io
