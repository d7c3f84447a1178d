// SPDX-License-Identifier: Apache-2.0
// The GPT-2 pattern in PCRE2 terms, JIT-compiled where PCRE2 can.
#define PCRE2_CODE_UNIT_WIDTH 8
#include "runtime/text/pretokenize.h"

#include <new>
#include <string>

#include <pcre2.h>

#include "runtime/base/error.h"

namespace ks::text {
namespace {

// White_Space of Unicode, spelled out: PCRE2's own \s also takes U+180E, which is no space since Unicode 6.3.
#define KS_SPACE                                                                                             \
    "\\x09-\\x0d\\x20\\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{"     \
    "3000}"
constexpr const char *kPattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" KS_SPACE "\\p{L}\\p{N}]+"
                                 "|[" KS_SPACE "]+(?![^" KS_SPACE "])|[" KS_SPACE "]+";
#undef KS_SPACE

std::string message_of(int error) {
    PCRE2_UCHAR text[256] = {};
    pcre2_get_error_message(error, text, sizeof text);
    return reinterpret_cast<const char *>(text);
}

} // namespace

bool is_gpt2_pattern(std::string_view regex) {
    constexpr std::string_view tail = R"(| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
    for (const std::string_view head : {"'s|'t|'re|'ve|'m|'ll|'d", "'(?:[sdmt]|ll|ve|re)"}) {
        if (regex.size() == head.size() + tail.size() && regex.substr(0, head.size()) == head &&
            regex.substr(head.size()) == tail) {
            return true;
        }
    }
    return false;
}

Gpt2Splitter::Gpt2Splitter() {
    int error = 0;
    PCRE2_SIZE offset = 0;
    pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kPattern), PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP, &error, &offset, nullptr);
    if (code == nullptr) throw Error("PCRE2 pattern of the tokenizer", message_of(error));
    code_.reset(code, [](void *p) { pcre2_code_free(static_cast<pcre2_code *>(p)); });
    pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); // where there is no JIT, pcre2_match interprets
}

void Gpt2Splitter::split(std::string_view text, std::vector<std::string_view> &words) const {
    const auto *code = static_cast<const pcre2_code *>(code_.get());
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
        pcre2_match_data_create(1, nullptr), &pcre2_match_data_free);
    if (!match) throw std::bad_alloc();
    const auto *subject = reinterpret_cast<PCRE2_SPTR>(text.data());
    for (size_t at = 0; at < text.size();) {
        // Without NO_UTF_CHECK each call would look through the whole text again.
        const uint32_t options = PCRE2_NO_UTF_CHECK | PCRE2_ANCHORED;
        int rc = pcre2_match(code, subject, text.size(), at, options, match.get(), nullptr);
        if (rc == PCRE2_ERROR_JIT_STACKLIMIT) {
            rc = pcre2_match(code, subject, text.size(), at, options | PCRE2_NO_JIT, match.get(), nullptr);
        }
        if (rc < 0) throw Error("splitting text into words", message_of(rc));
        const size_t end = pcre2_get_ovector_pointer(match.get())[1];
        words.push_back(text.substr(at, end - at));
        at = end;
    }
}

} // namespace ks::text
