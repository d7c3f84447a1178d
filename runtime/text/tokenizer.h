// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE tokenizer (GPT-2, GPT-NeoX) from a Hugging Face tokenizer.json: text to ids and back.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "runtime/text/added_tokens.h"
#include "runtime/text/bpe.h"
#include "runtime/text/pretokenize.h"

namespace ks::text {

struct TokenizerConfig;

// Immutable after load: all const members are safe to call from many threads.
class Tokenizer {
  public:
    // Throws ks::Error(path, cause) for a file that is damaged or asks for what is not implemented.
    static Tokenizer load(const std::string &path);

    // The ids of `text`, added tokens (special ones too) recognised in it. Ill-formed UTF-8 is first replaced
    // by U+FFFD, one for each maximal ill-formed part. Nothing is put before or after. At most 1 GiB of text.
    std::vector<int> encode(std::string_view text) const;

    // The text of `ids`, special tokens included; what is not UTF-8 becomes U+FFFD. Ids as in bytes_of. An
    // added token stands for its own text, also where it has letters of the byte alphabet (the reference
    // breaks those).
    std::string decode(const std::vector<int> &ids) const;

    // The bytes that one id stands for (perhaps a part of a character). Empty for an id within size() that
    // the file gives no token; ks::Error for one outside. The view lives as long as the tokenizer.
    std::string_view bytes_of(int id) const;

    // Largest id + 1. A model's vocabulary may be padded beyond it.
    int size() const { return static_cast<int>(bytes_.size()); }

    // By the token as the file writes it: "<|endoftext|>", "Ġthe".
    std::optional<int> id_of(std::string_view token) const;

    bool is_special(int id) const; // ids as in bytes_of

    // The id of the first of <|endoftext|>, <|end_of_text|>, </s>, <eos> that there is; -1 without any (the
    // file itself does not say which token ends a text).
    int end_of_text() const { return end_of_text_; }

  private:
    struct Encoder; // the state of one encode()

    Tokenizer() = default;
    void place_tokens(const TokenizerConfig &config);
    void place_merges(const TokenizerConfig &config);
    void check_id(int id) const;

    bool nfc_ = false, split_first_ = false, add_prefix_space_ = false, use_regex_ = true;
    std::vector<std::string> bytes_;           // by id
    std::vector<bool> special_;                // by id
    std::unordered_map<std::string, int> ids_; // by spelling
    std::unordered_map<std::string, int>
        whole_words_; // by bytes; filled only when such words skip the merges
    AddedTokenMatcher raw_tokens_, normalized_tokens_;
    Gpt2Splitter splitter_;
    Bpe bpe_;
    int end_of_text_ = -1;
};

} // namespace ks::text
