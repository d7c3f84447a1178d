// SPDX-License-Identifier: Apache-2.0
// Added tokens are few, so a table by first byte does for a search automaton.
#include "runtime/text/added_tokens.h"

#include <algorithm>
#include <utility>

namespace ks::text {

void AddedTokenMatcher::add(std::string content, int id) {
    auto &list = by_first_byte_[static_cast<unsigned char>(content[0])];
    const auto shorter = [&](const Token &t) { return t.content.size() < content.size(); };
    const auto place = std::find_if(list.begin(), list.end(), shorter); // before `content` is moved from
    list.insert(place, Token{std::move(content), id});
}

bool AddedTokenMatcher::find(std::string_view text, size_t from, Match &match) const {
    for (size_t i = from; i < text.size(); ++i) {
        for (const Token &token : by_first_byte_[static_cast<unsigned char>(text[i])]) {
            if (text.compare(i, token.content.size(), token.content) != 0) continue;
            match = {i, i + token.content.size(), token.id};
            return true;
        }
    }
    return false;
}

} // namespace ks::text
