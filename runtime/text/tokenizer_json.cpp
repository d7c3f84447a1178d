// SPDX-License-Identifier: Apache-2.0
// tokenizer.json, part by part. Every key must be one that is known: an unknown one may change the meaning.
#include "runtime/text/tokenizer_json.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runtime/base/error.h"
#include "runtime/text/pretokenize.h"

namespace ks::text {
namespace {

using nlohmann::json;

constexpr uintmax_t kMaxFileBytes = uintmax_t{1} << 28;
constexpr int kMaxDepth = 64; // printing a value goes as deep as the value

std::string shown(const json &value) {
    std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
    if (text.size() > 60) text = text.substr(0, 57) + "...";
    return text;
}

class Reader {
  public:
    explicit Reader(const std::string &path) : path_(path) {}
    TokenizerConfig read();

  private:
    [[noreturn]] void fail(const std::string &cause) const { throw Error(path_, cause); }
    [[noreturn]] void not_implemented(const std::string &what) const { fail(what + " is not implemented"); }

    json parse() const;
    const json &need(const json &object, const std::string &where, const char *key) const;
    const json *find(const json &object, const char *key) const; // null for absent and for JSON null
    bool flag(const json &object, const std::string &where, const char *key, bool otherwise) const;
    std::string type_of(const json &part, const std::string &where) const;
    void known_keys(const json &object, const std::string &where,
                    std::initializer_list<const char *> keys) const;
    void known_byte_level(const json &part, const std::string &where) const;
    int token_id(const json &value, const std::string &where) const;
    // The parts of a Sequence under `key`, or the part alone.
    std::vector<const json *> parts_of(const json &part, const std::string &where, const char *key) const;

    void read_added_tokens(const json &list);
    void read_normalizer(const json &part);
    void read_pre_tokenizer(const json &part);
    void read_split(const json &part);
    void check_byte_level_only(const json &part, const std::string &where, const char *key) const;
    void read_model(const json &model);
    void check_model_options(const json &model) const;
    void read_merges(const json &merges);

    const std::string &path_;
    TokenizerConfig config_;
};

json Reader::parse() const {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path_, error)) fail("no such file");
    if (std::filesystem::file_size(path_, error) > kMaxFileBytes || error)
        fail("over 256 MiB: not a tokenizer");
    std::ifstream in(path_, std::ios::binary);
    if (!in) fail("cannot be opened");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    if (in.bad()) fail("cannot be read");
    const auto no_deeper = [this](int depth, json::parse_event_t, const json &) {
        if (depth > kMaxDepth) fail("nested over " + std::to_string(kMaxDepth) + " levels deep");
        return true;
    };
    try {
        return json::parse(text, no_deeper);
    } catch (const json::parse_error &e) {
        fail("not valid JSON at byte " + std::to_string(e.byte));
    } catch (const json::exception &) {
        fail("not valid JSON: a number is out of range");
    }
}

const json *Reader::find(const json &object, const char *key) const {
    const auto it = object.find(key);
    return it == object.end() || it->is_null() ? nullptr : &*it;
}

const json &Reader::need(const json &object, const std::string &where, const char *key) const {
    const json *value = find(object, key);
    if (value == nullptr) fail(where + key + " is missing");
    return *value;
}

bool Reader::flag(const json &object, const std::string &where, const char *key, bool otherwise) const {
    const json *value = find(object, key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) fail(where + "." + key + " is " + shown(*value) + ", not true or false");
    return value->get<bool>();
}

std::string Reader::type_of(const json &part, const std::string &where) const {
    if (!part.is_object()) fail(where + " is " + shown(part) + ", not an object");
    const json &type = need(part, where + ".", "type");
    if (!type.is_string()) fail(where + ".type is " + shown(type) + ", not a string");
    return type.get<std::string>();
}

void Reader::known_keys(const json &object, const std::string &where,
                        std::initializer_list<const char *> keys) const {
    for (const auto &item : object.items()) {
        const bool known =
            std::any_of(keys.begin(), keys.end(), [&](const char *k) { return item.key() == k; });
        if (!known) not_implemented(where + "key " + shown(json(item.key())));
    }
}

int Reader::token_id(const json &value, const std::string &where) const {
    const bool fits =
        value.is_number_unsigned() && value.get<uint64_t>() <= static_cast<uint64_t>(kMaxTokenId);
    if (!fits)
        fail(where + " has the id " + shown(value) + ", not an integer of 0.." + std::to_string(kMaxTokenId));
    return value.get<int>();
}

std::vector<const json *> Reader::parts_of(const json &part, const std::string &where,
                                           const char *key) const {
    if (type_of(part, where) != "Sequence") return {&part};
    known_keys(part, where + " Sequence ", {"type", key});
    const json &list = need(part, where + ".", key);
    if (!list.is_array()) fail(where + "." + key + " is " + shown(list) + ", not a list");
    std::vector<const json *> parts;
    for (const json &inner : list) parts.push_back(&inner);
    return parts;
}

void Reader::read_added_tokens(const json &list) {
    if (!list.is_array()) fail("added_tokens is " + shown(list) + ", not a list");
    for (const json &entry : list) {
        const std::string where = "added_tokens[" + std::to_string(config_.added_tokens.size()) + "]";
        if (!entry.is_object()) fail(where + " is " + shown(entry) + ", not an object");
        known_keys(entry, where + " ",
                   {"id", "content", "special", "normalized", "single_word", "lstrip", "rstrip"});
        for (const char *key : {"single_word", "lstrip", "rstrip"}) {
            if (flag(entry, where, key, false)) not_implemented(where + "." + key);
        }
        const json &content = need(entry, where + ".", "content");
        if (!content.is_string() || content.get_ref<const std::string &>().empty()) {
            fail(where + ".content is " + shown(content) + ", not a string with something in it");
        }
        AddedToken token;
        token.id = token_id(need(entry, where + ".", "id"), where);
        token.content = content.get<std::string>();
        token.special = flag(entry, where, "special", false);
        token.normalized = flag(entry, where, "normalized", !token.special);
        config_.added_tokens.push_back(std::move(token));
    }
}

void Reader::read_normalizer(const json &part) {
    for (const json *inner : parts_of(part, "normalizer", "normalizers")) {
        const std::string type = type_of(*inner, "normalizer");
        if (type != "NFC") not_implemented("normalizer " + type);
        known_keys(*inner, "normalizer NFC ", {"type"});
        config_.nfc = true;
    }
}

void Reader::known_byte_level(const json &part, const std::string &where) const {
    known_keys(part, where + " ByteLevel ", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
}

void Reader::read_split(const json &part) {
    known_keys(part, "pre_tokenizer Split ", {"type", "pattern", "behavior", "invert"});
    const json &pattern = need(part, "pre_tokenizer Split ", "pattern");
    const json *regex = pattern.is_object() ? find(pattern, "Regex") : nullptr;
    if (regex == nullptr || !regex->is_string() || !is_gpt2_pattern(regex->get_ref<const std::string &>())) {
        not_implemented("pre_tokenizer Split by " + shown(pattern));
    }
    // The pattern leaves nothing unmatched, so keeping matches and isolating them are the same.
    const json &behavior = need(part, "pre_tokenizer Split ", "behavior");
    const bool invert = flag(part, "pre_tokenizer Split", "invert", false);
    if (behavior != (invert ? "Removed" : "Isolated")) {
        not_implemented("pre_tokenizer Split behavior " + shown(behavior) + (invert ? " inverted" : ""));
    }
    config_.split_first = true;
}

void Reader::read_pre_tokenizer(const json &part) {
    bool byte_level = false;
    for (const json *inner : parts_of(part, "pre_tokenizer", "pretokenizers")) {
        const std::string type = type_of(*inner, "pre_tokenizer");
        if (byte_level) not_implemented("pre_tokenizer " + type + " after ByteLevel");
        if (type == "Split") {
            read_split(*inner);
        } else if (type == "ByteLevel") {
            known_byte_level(*inner, "pre_tokenizer");
            config_.add_prefix_space = flag(*inner, "pre_tokenizer ByteLevel", "add_prefix_space", true);
            config_.use_regex = flag(*inner, "pre_tokenizer ByteLevel", "use_regex", true);
            byte_level = true;
        } else {
            not_implemented("pre_tokenizer " + type);
        }
    }
    if (!byte_level) not_implemented("pre_tokenizer without ByteLevel");
}

void Reader::check_byte_level_only(const json &part, const std::string &where, const char *key) const {
    for (const json *inner : parts_of(part, where, key)) {
        const std::string type = type_of(*inner, where);
        if (type != "ByteLevel") not_implemented(where + " " + type);
        known_byte_level(*inner, where);
    }
}

void Reader::check_model_options(const json &model) const {
    known_keys(model, "model ",
               {"type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
                "byte_fallback", "ignore_merges", "vocab", "merges"});
    const json *dropout = find(model, "dropout");
    if (dropout != nullptr && *dropout != 0) not_implemented("model.dropout " + shown(*dropout));
    for (const char *key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
        const json *value = find(model, key);
        if (value != nullptr && *value != "")
            not_implemented("model." + std::string(key) + " " + shown(*value));
    }
    // unk_token and fuse_unk have no effect: the caller sees to it that every byte has a token.
    const json *unk = find(model, "unk_token");
    if (unk != nullptr && !unk->is_string()) fail("model.unk_token is " + shown(*unk) + ", not a string");
    flag(model, "model", "fuse_unk", false);
    if (flag(model, "model", "byte_fallback", false)) not_implemented("model.byte_fallback");
}

void Reader::read_merges(const json &merges) {
    if (!merges.is_array()) fail("model.merges is " + shown(merges) + ", not a list");
    for (const json &entry : merges) {
        std::string left, right;
        if (entry.is_string()) {
            const auto &line = entry.get_ref<const std::string &>();
            const size_t space = line.find(' ');
            if (space != std::string::npos && line.find(' ', space + 1) == std::string::npos) {
                left = line.substr(0, space);
                right = line.substr(space + 1);
            }
        } else if (entry.is_array() && entry.size() == 2 && entry[0].is_string() && entry[1].is_string()) {
            left = entry[0].get<std::string>();
            right = entry[1].get<std::string>();
        }
        if (left.empty() || right.empty()) {
            fail("merge " + std::to_string(config_.merges.size()) + " is " + shown(entry) +
                 ", not two tokens");
        }
        config_.merges.emplace_back(std::move(left), std::move(right));
    }
}

void Reader::read_model(const json &model) {
    if (!model.is_object()) fail("model is " + shown(model) + ", not an object");
    if (const json *type = find(model, "type"); type != nullptr && *type != "BPE") { // old files leave it out
        not_implemented("model.type " + shown(*type));
    }
    check_model_options(model);
    config_.ignore_merges = flag(model, "model", "ignore_merges", false);
    const json &vocab = need(model, "model.", "vocab");
    if (!vocab.is_object()) fail("model.vocab is " + shown(vocab) + ", not an object");
    for (const auto &item : vocab.items()) {
        config_.vocab.emplace_back(item.key(), token_id(item.value(), "token " + shown(json(item.key()))));
    }
    read_merges(need(model, "model.", "merges"));
}

TokenizerConfig Reader::read() {
    const json root = parse();
    if (!root.is_object()) fail("the file holds " + shown(root) + ", not an object");
    known_keys(root, "",
               {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer",
                "post_processor", "decoder", "model"});
    if (const json &version = need(root, "", "version"); version != "1.0") {
        not_implemented("version " + shown(version));
    }
    for (const char *key : {"truncation", "padding"}) {
        if (find(root, key) != nullptr) not_implemented(key);
    }
    if (const json *tokens = find(root, "added_tokens")) read_added_tokens(*tokens);
    if (const json *part = find(root, "normalizer")) read_normalizer(*part);
    read_pre_tokenizer(need(root, "", "pre_tokenizer"));
    if (const json *part = find(root, "post_processor"))
        check_byte_level_only(*part, "post_processor", "processors");
    check_byte_level_only(need(root, "", "decoder"), "decoder", "decoders");
    read_model(need(root, "", "model"));
    return std::move(config_);
}

} // namespace

TokenizerConfig read_tokenizer_json(const std::string &path) { return Reader(path).read(); }

} // namespace ks::text
