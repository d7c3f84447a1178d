// SPDX-License-Identifier: Apache-2.0
// UTF-8 steps by table 3-7 of the Unicode standard: only the second byte has a narrower range.
#include "runtime/text/utf8.h"

namespace ks::text {

Utf8Step utf8_step(const char *p, size_t n) {
    const auto byte = [p](size_t i) { return static_cast<unsigned char>(p[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {Utf8Kind::character, 1};
    if (lead < 0xC2 || lead > 0xF4) return {Utf8Kind::ill_formed, 1};
    const int length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    for (int i = 1; i < length; ++i) {
        if (static_cast<size_t>(i) == n) return {Utf8Kind::cut, i};
        if (byte(static_cast<size_t>(i)) < low || byte(static_cast<size_t>(i)) > high) {
            return {Utf8Kind::ill_formed, i};
        }
        low = 0x80;
        high = 0xBF;
    }
    return {Utf8Kind::character, length};
}

char32_t utf8_code_point(const char *p, int length) {
    const unsigned lead = static_cast<unsigned char>(p[0]);
    char32_t code = length == 1 ? lead : lead & (0xFFu >> (length + 1));
    for (int i = 1; i < length; ++i) code = code << 6 | (static_cast<unsigned char>(p[i]) & 0x3Fu);
    return code;
}

bool is_valid_utf8(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
        const Utf8Step step = utf8_step(text.data() + i, text.size() - i);
        if (step.kind != Utf8Kind::character) return false;
        i += static_cast<size_t>(step.length);
    }
    return true;
}

std::string replace_ill_formed(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (size_t i = 0; i < text.size();) {
        const Utf8Step step = utf8_step(text.data() + i, text.size() - i);
        const auto length = static_cast<size_t>(step.length);
        if (step.kind == Utf8Kind::character) {
            out.append(text, i, length);
        } else {
            out += kReplacement;
        }
        i += length;
    }
    return out;
}

} // namespace ks::text
