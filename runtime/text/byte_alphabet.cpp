// SPDX-License-Identifier: Apache-2.0
// The two tables of the byte alphabet, built once.
#include "runtime/text/byte_alphabet.h"

#include <array>
#include <cstdint>

#include "runtime/text/utf8.h"

namespace ks::text {
namespace {

constexpr char32_t kLetters = 0x144; // code points under which every letter lies

struct Alphabet {
    std::array<std::string, 256> letter;
    std::array<int16_t, kLetters> byte; // -1: not a letter

    Alphabet() {
        byte.fill(-1);
        char32_t next = 0x100; // unprintable bytes take the code points from here, in order
        for (unsigned b = 0; b < 256; ++b) {
            const bool printable = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
            const char32_t code = printable ? b : next++;
            byte[code] = static_cast<int16_t>(b);
            if (code < 0x80) {
                letter[b] = {static_cast<char>(code)};
            } else {
                letter[b] = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F))};
            }
        }
    }
};

const Alphabet &alphabet() {
    static const Alphabet table;
    return table;
}

} // namespace

std::string_view letter_of(unsigned char byte) { return alphabet().letter[byte]; }

std::optional<std::string> bytes_of_spelling(std::string_view spelling) {
    std::string bytes;
    for (size_t i = 0; i < spelling.size();) {
        const Utf8Step step = utf8_step(spelling.data() + i, spelling.size() - i);
        if (step.kind != Utf8Kind::character) return std::nullopt;
        const char32_t code = utf8_code_point(spelling.data() + i, step.length);
        if (code >= kLetters || alphabet().byte[code] < 0) return std::nullopt;
        bytes += static_cast<char>(alphabet().byte[code]);
        i += static_cast<size_t>(step.length);
    }
    return bytes;
}

} // namespace ks::text
