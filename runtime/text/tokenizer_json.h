// SPDX-License-Identifier: Apache-2.0
// Reads a Hugging Face tokenizer.json of the byte-level BPE kind, and refuses by name all that is not done
// here.
#pragma once
#include <string>
#include <utility>
#include <vector>

namespace ks::text {

struct AddedToken {
    int id = 0;
    std::string content;
    bool special = false;
    bool normalized = false; // matched in the normalised text, not in the text as given
};

struct TokenizerConfig {
    bool nfc = false;              // normalizer
    bool split_first = false;      // pre_tokenizer: a Split by the GPT-2 pattern stands before ByteLevel
    bool add_prefix_space = false; // pre_tokenizer ByteLevel
    bool use_regex = true;         // pre_tokenizer ByteLevel
    bool ignore_merges = false;    // a word that is itself a token is not merged
    std::vector<std::pair<std::string, int>> vocab;          // spelled in the byte alphabet
    std::vector<std::pair<std::string, std::string>> merges; // by rank, spelled
    std::vector<AddedToken> added_tokens;                    // none empty
};

constexpr int kMaxTokenId = (1 << 22) - 1; // an id above is taken for damage, not for a vocabulary

// Throws ks::Error(path, ...) for a file that cannot be read, is not JSON, lacks a part, has a value of the
// wrong type or out of range, or asks for something that is not implemented. Whether tokens, ids and merges
// fit together is for the caller to check.
TokenizerConfig read_tokenizer_json(const std::string &path);

} // namespace ks::text
