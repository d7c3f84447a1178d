// SPDX-License-Identifier: Apache-2.0
// Builds the tokenizer from the file's parts, checking that ids, tokens and merges fit together; and decodes.
#include "runtime/text/tokenizer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/base/error.h"
#include "runtime/text/byte_alphabet.h"
#include "runtime/text/normalize.h"
#include "runtime/text/tokenizer_json.h"
#include "runtime/text/utf8.h"

namespace ks::text {
namespace {

// Bytes that UTF-8 never has; vocabularies may go without them.
bool never_in_utf8(unsigned byte) { return byte == 0xC0 || byte == 0xC1 || byte > 0xF4; }

std::string quoted(const std::string &token) {
    std::string out = "\"";
    for (const char c : token.size() > 60 ? replace_ill_formed(token.substr(0, 57)) + "..." : token) {
        out += static_cast<unsigned char>(c) < 0x20 ? '?' : c; // the message stays one line
    }
    return out + '"';
}

} // namespace

Tokenizer Tokenizer::load(const std::string &path) {
    const TokenizerConfig config = read_tokenizer_json(path);
    Tokenizer t;
    t.nfc_ = config.nfc;
    t.split_first_ = config.split_first;
    t.add_prefix_space_ = config.add_prefix_space;
    t.use_regex_ = config.use_regex;
    try {
        t.place_tokens(config);
        t.place_merges(config);
    } catch (const Error &e) {
        throw Error(path, e.what());
    }
    for (const char *name : {"<|endoftext|>", "<|end_of_text|>", "</s>", "<eos>"}) {
        if (t.end_of_text_ < 0) t.end_of_text_ = t.id_of(name).value_or(-1);
    }
    return t;
}

void Tokenizer::place_tokens(const TokenizerConfig &config) {
    int largest = -1;
    for (const auto &entry : config.vocab) largest = std::max(largest, entry.second);
    for (const AddedToken &token : config.added_tokens) largest = std::max(largest, token.id);
    bytes_.resize(static_cast<size_t>(largest + 1));
    special_.resize(bytes_.size());
    std::vector<const std::string *> owner(bytes_.size()); // by id, the token that has it
    ids_.reserve(config.vocab.size() + config.added_tokens.size());

    const auto place = [&](const std::string &token, int id) {
        const std::string *&other = owner[static_cast<size_t>(id)];
        if (other != nullptr && *other != token) {
            throw Error("id " + std::to_string(id) + " is given to " + quoted(*other) + " and to " +
                        quoted(token));
        }
        other = &token;
        if (const int first = ids_.emplace(token, id).first->second; first != id) {
            throw Error("token " + quoted(token) + " has the ids " + std::to_string(first) + " and " +
                        std::to_string(id));
        }
    };
    for (const auto &[token, id] : config.vocab) {
        place(token, id);
        // A token that is not spelled in the byte alphabet stands for its own characters, as in the
        // reference.
        std::string &bytes = bytes_[static_cast<size_t>(id)] = bytes_of_spelling(token).value_or(token);
        if (config.ignore_merges) whole_words_.emplace(bytes, id);
    }
    std::vector<bool> added(bytes_.size());
    for (const AddedToken &token : config.added_tokens) {
        place(token.content, token.id);
        if (added[static_cast<size_t>(token.id)])
            throw Error("added token " + quoted(token.content) + " is there twice");
        added[static_cast<size_t>(token.id)] = true;
        bytes_[static_cast<size_t>(token.id)] = token.content;
        special_[static_cast<size_t>(token.id)] = token.special;
        if (token.normalized) {
            normalized_tokens_.add(nfc_ ? nfc(token.content) : token.content, token.id);
        } else {
            raw_tokens_.add(token.content, token.id);
        }
    }
}

void Tokenizer::place_merges(const TokenizerConfig &config) {
    std::unordered_map<std::string_view, int> vocab; // without added tokens: those never take part in merges
    vocab.reserve(config.vocab.size());
    for (const auto &[token, id] : config.vocab) vocab.emplace(token, id);

    std::array<int, 256> byte_ids;
    for (unsigned b = 0; b < 256; ++b) {
        const auto it = vocab.find(letter_of(static_cast<unsigned char>(b)));
        byte_ids[b] = it == vocab.end() ? -1 : it->second;
        if (byte_ids[b] < 0 && !never_in_utf8(b)) {
            throw Error("model.vocab has no token for byte " + std::to_string(b));
        }
    }
    std::vector<Bpe::Merge> merges;
    merges.reserve(config.merges.size());
    const auto id_in_merge = [&](const std::string &token) {
        const auto it = vocab.find(token);
        if (it == vocab.end()) {
            throw Error("merge " + std::to_string(merges.size()) + " needs token " + quoted(token) +
                        ", which model.vocab lacks");
        }
        return it->second;
    };
    for (const auto &[left, right] : config.merges) {
        const Bpe::Merge merge{id_in_merge(left), id_in_merge(right), id_in_merge(left + right)};
        merges.push_back(merge);
    }
    bpe_ = Bpe(byte_ids, merges);
}

std::optional<int> Tokenizer::id_of(std::string_view token) const {
    const auto it = ids_.find(std::string(token));
    return it == ids_.end() ? std::nullopt : std::optional<int>(it->second);
}

void Tokenizer::check_id(int id) const {
    if (id >= 0 && id < size()) return;
    throw Error("token id " + std::to_string(id), "outside the tokenizer's 0.." + std::to_string(size() - 1));
}

std::string_view Tokenizer::bytes_of(int id) const {
    check_id(id);
    return bytes_[static_cast<size_t>(id)];
}

bool Tokenizer::is_special(int id) const {
    check_id(id);
    return special_[static_cast<size_t>(id)];
}

std::string Tokenizer::decode(const std::vector<int> &ids) const {
    std::string bytes;
    for (const int id : ids) bytes += bytes_of(id);
    return is_valid_utf8(bytes) ? bytes : replace_ill_formed(bytes);
}

} // namespace ks::text
