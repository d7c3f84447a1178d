// SPDX-License-Identifier: Apache-2.0
// The streaming detokenizer's buffer: everything but a cut last character goes out.
#include "runtime/text/utf8_stream.h"

#include "runtime/text/utf8.h"

namespace ks::text {

std::string Utf8Stream::feed(std::string_view bytes) {
    held_ += bytes;
    std::string out;
    out.reserve(held_.size());
    size_t i = 0;
    while (i < held_.size()) {
        const Utf8Step step = utf8_step(held_.data() + i, held_.size() - i);
        if (step.kind == Utf8Kind::cut) break;
        const auto length = static_cast<size_t>(step.length);
        if (step.kind == Utf8Kind::character) {
            out.append(held_, i, length);
        } else {
            out += kReplacement;
        }
        i += length;
    }
    held_.erase(0, i);
    return out;
}

std::string Utf8Stream::flush() {
    std::string out = held_.empty() ? "" : kReplacement;
    held_.clear();
    return out;
}

} // namespace ks::text
