// SPDX-License-Identifier: Apache-2.0
// GPT-2's byte alphabet: every byte has a printable character, in which vocabularies and merges are spelled.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ks::text {

// The character (UTF-8, one or two bytes) that spells `byte`: itself when printable Latin-1, else U+0100 up.
std::string_view letter_of(unsigned char byte);

// The bytes that `spelling` stands for; nothing if a character of it is no letter of the alphabet.
std::optional<std::string> bytes_of_spelling(std::string_view spelling);

} // namespace ks::text
