// SPDX-License-Identifier: Apache-2.0
// The way of text to ids: added tokens, normalisation, words, merges; each distinct word is merged once a
// call.
#include <deque>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/text/normalize.h"
#include "runtime/text/tokenizer.h"
#include "runtime/text/utf8.h"

namespace ks::text {
namespace {

constexpr size_t kMaxText = size_t{1} << 30; // positions within a word are int
constexpr size_t kMaxCachedWord = 128;       // bytes; longer words hardly come again

// Calls token(id) and rest(piece) over `text` in order; pieces are never empty.
template <class Token, class Rest>
void cut_at_tokens(const AddedTokenMatcher &tokens, std::string_view text, Token token, Rest rest) {
    size_t at = 0;
    for (AddedTokenMatcher::Match m; tokens.find(text, at, m); at = m.end) {
        if (m.begin > at) rest(text.substr(at, m.begin - at));
        token(m.id);
    }
    if (at < text.size()) rest(text.substr(at));
}

} // namespace

struct Tokenizer::Encoder {
    const Tokenizer &t;
    std::vector<int> ids;
    std::deque<std::string> kept; // changed pieces of text: the cache's keys point into them
    struct Span {
        size_t begin, count; // within ids
    };
    std::unordered_map<std::string_view, Span> cache;
    Bpe::Scratch scratch;
    std::vector<std::string_view> first_words, words;

    void raw(std::string_view text) {
        cut_at_tokens(
            t.raw_tokens_, text, [&](int id) { ids.push_back(id); },
            [&](std::string_view piece) { normalized(piece); });
    }

    void normalized(std::string_view piece) {
        if (t.nfc_ && may_change_in_nfc(piece)) piece = kept.emplace_back(nfc(piece));
        cut_at_tokens(
            t.normalized_tokens_, piece, [&](int id) { ids.push_back(id); },
            [&](std::string_view rest) { plain(rest); });
    }

    void plain(std::string_view piece) {
        if (!t.split_first_) return byte_level(piece);
        first_words.clear();
        t.splitter_.split(piece, first_words);
        for (const std::string_view word : first_words) byte_level(word);
    }

    void byte_level(std::string_view piece) {
        if (t.add_prefix_space_ && piece[0] != ' ') piece = kept.emplace_back(" " + std::string(piece));
        if (!t.use_regex_) return word(piece);
        words.clear();
        t.splitter_.split(piece, words);
        for (const std::string_view w : words) word(w);
    }

    void word(std::string_view w) {
        const auto [it, fresh] = cache.try_emplace(w, Span{ids.size(), 0});
        if (!fresh) {
            const Span span = it->second;
            for (size_t i = 0; i < span.count; ++i) ids.push_back(ids[span.begin + i]);
            return;
        }
        merge(w);
        if (w.size() > kMaxCachedWord) {
            cache.erase(it);
        } else {
            it->second.count = ids.size() - it->second.begin;
        }
    }

    void merge(std::string_view w) {
        if (!t.whole_words_.empty()) {
            if (const auto it = t.whole_words_.find(std::string(w)); it != t.whole_words_.end()) {
                ids.push_back(it->second);
                return;
            }
        }
        t.bpe_.encode(w, scratch, ids);
    }
};

std::vector<int> Tokenizer::encode(std::string_view text) const {
    if (text.size() > kMaxText) throw Error("text to encode", "over 1 GiB");
    std::string replaced;
    if (!is_valid_utf8(text)) text = replaced = replace_ill_formed(text);
    Encoder encoder{*this, {}, {}, {}, {}, {}, {}};
    encoder.raw(text);
    return std::move(encoder.ids);
}

} // namespace ks::text
