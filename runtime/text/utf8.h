// SPDX-License-Identifier: Apache-2.0
// UTF-8 one step at a time: what is a character, what is ill-formed, what is only cut short.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ks::text {

constexpr const char *kReplacement = "\xEF\xBF\xBD"; // U+FFFD

enum class Utf8Kind : uint8_t {
    character,  // `length` bytes are one well-formed character
    ill_formed, // `length` bytes are a maximal ill-formed part: one U+FFFD stands for them
    cut,        // all `length` bytes that are left begin a character whose end is not there
};

struct Utf8Step {
    Utf8Kind kind;
    int length;
};

// Looks at p[0..n), n >= 1. Surrogates, overlong forms and values over U+10FFFF are ill-formed.
Utf8Step utf8_step(const char *p, size_t n);

// The code point of a well-formed character of `length` bytes.
char32_t utf8_code_point(const char *p, int length);

bool is_valid_utf8(std::string_view text);

// Each maximal ill-formed part, and a cut end, becomes one U+FFFD (Unicode 3.9, as Rust and Python do).
std::string replace_ill_formed(std::string_view text);

} // namespace ks::text
