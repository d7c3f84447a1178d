// SPDX-License-Identifier: Apache-2.0
// Unicode normalisation form C, by utf8proc and so by the Unicode version of that library. The reference's
// tables are older: it takes about 100 rare combining marks of newer Unicode versions for letters and does
// not reorder them.
#pragma once
#include <string>
#include <string_view>

namespace ks::text {

// False only where NFC surely leaves `text` (valid UTF-8) as it is: no character from U+0300 up.
bool may_change_in_nfc(std::string_view text);

// `text` (valid UTF-8, may hold NUL) in NFC. Throws ks::Error if utf8proc fails (memory).
std::string nfc(std::string_view text);

} // namespace ks::text
