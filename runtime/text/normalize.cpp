// SPDX-License-Identifier: Apache-2.0
// NFC with a cheap test first: ASCII and Latin text never needs the slow path.
#include "runtime/text/normalize.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <utf8proc.h>

#include "runtime/base/error.h"

namespace ks::text {

bool may_change_in_nfc(std::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](char c) { return static_cast<unsigned char>(c) >= 0xCC; });
}

std::string nfc(std::string_view text) {
    utf8proc_uint8_t *raw = nullptr;
    const utf8proc_ssize_t size = utf8proc_map(
        reinterpret_cast<const utf8proc_uint8_t *>(text.data()), static_cast<utf8proc_ssize_t>(text.size()),
        &raw, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(raw, &std::free);
    if (size < 0) throw Error("NFC of the text", utf8proc_errmsg(size));
    return {reinterpret_cast<const char *>(raw), static_cast<size_t>(size)};
}

} // namespace ks::text
