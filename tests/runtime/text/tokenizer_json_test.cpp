// SPDX-License-Identifier: Apache-2.0
// Damaged and unsupported tokenizer.json files: one ks::Error each, one line, the file's name first.
#include "runtime/text/tokenizer_json.h"

#include <filesystem>
#include <functional>

#include <gtest/gtest.h>

#include "runtime/base/error.h"
#include "tests/runtime/text/test_files.h"

using nlohmann::json;

namespace {

json good() { return json_of(data_file("neox_style.tokenizer.json")); }

void refused_text(const std::string &text, const std::string &cause) {
    const TemporaryFile file(text);
    try {
        ks::text::read_tokenizer_json(file.path());
        ADD_FAILURE() << "accepted; expected: " << cause;
    } catch (const ks::Error &e) {
        const std::string message = e.what();
        EXPECT_EQ(message.rfind(file.path() + ": ", 0), 0u) << message;
        EXPECT_NE(message.find(cause), std::string::npos) << message << "\nexpected: " << cause;
        EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        EXPECT_LT(message.size(), file.path().size() + 250) << message;
    }
}

// Puts `value` at `pointer` of a good file.
void refused(const char *pointer, const json &value, const std::string &cause) {
    json config = good();
    config[json::json_pointer(pointer)] = value;
    refused_text(config.dump(), cause);
}

} // namespace

TEST(TokenizerJson, ReadsTheParts) {
    const auto config = ks::text::read_tokenizer_json(data_file("neox_style.tokenizer.json"));
    EXPECT_TRUE(config.nfc);
    EXPECT_FALSE(config.add_prefix_space);
    EXPECT_TRUE(config.use_regex);
    EXPECT_FALSE(config.split_first);
    EXPECT_EQ(config.vocab.size(), 400u);
    EXPECT_EQ(config.merges.size(), 142u);
    ASSERT_EQ(config.added_tokens.size(), 30u);
    EXPECT_TRUE(config.added_tokens[0].special);
    EXPECT_FALSE(config.added_tokens[0].normalized);
    EXPECT_FALSE(config.added_tokens[2].special);
    EXPECT_TRUE(config.added_tokens[2].normalized);
}

TEST(TokenizerJson, NotAFile) {
    for (const std::string &path : {std::string("no/such/tokenizer.json"), data_file("")}) {
        try {
            ks::text::read_tokenizer_json(path);
            ADD_FAILURE() << path;
        } catch (const ks::Error &e) {
            EXPECT_EQ(e.what(), path + ": no such file");
        }
    }
}

TEST(TokenizerJson, Truncated) {
    const std::string text = good().dump();
    for (size_t n = 0; n < text.size(); n += 1 + text.size() / 200)
        refused_text(text.substr(0, n), "not valid JSON");
}

TEST(TokenizerJson, NotJson) {
    refused_text("PK\x03\x04", "not valid JSON at byte 1");
    refused_text(std::string(100, '\0'), "not valid JSON");
    refused_text(std::string(100000, '['), "nested over 64 levels");
    refused_text("{\"version\": \"\xFF\"}", "not valid JSON");
    refused_text("{\"version\": \"\\ud800\"}", "not valid JSON");
    refused_text("{\"version\": 1e999}", "not valid JSON");
    refused_text("[]", "not an object");
    refused_text("3", "not an object");
    refused_text("{}", "version is missing");
    refused_text(std::string(100000, '[') + std::string(100000, ']'), "nested over 64 levels");
    refused_text(std::string(40, '[') + std::string(40, ']'), "not an object");
}

TEST(TokenizerJson, MissingParts) {
    for (const char *part : {"version", "pre_tokenizer", "decoder", "model"}) {
        json config = good();
        config.erase(part);
        refused_text(config.dump(), std::string(part) + " is missing");
        refused(("/" + std::string(part)).c_str(), nullptr, std::string(part) + " is missing");
    }
    refused("/model", {{"type", "BPE"}}, "model.vocab is missing");
    refused("/model", {{"type", "BPE"}, {"vocab", json::object()}}, "model.merges is missing");
    refused("/added_tokens/3", {{"id", 3}}, "added_tokens[3].content is missing");
    refused("/added_tokens/3", {{"content", "x"}}, "added_tokens[3].id is missing");
    refused("/normalizer", json::object(), "normalizer.type is missing");
}

TEST(TokenizerJson, WrongTypesEverywhere) {
    const json bad[] = {3, -1.5, true, "text", json::array({1}), {{"k", "v"}}, json::array(), json::object()};
    const std::pair<const char *, const char *> places[] = {{"/version", "version"},
                                                            {"/truncation", "truncation"},
                                                            {"/padding", "padding"},
                                                            {"/added_tokens", "added_tokens"},
                                                            {"/added_tokens/0", "added_tokens[0]"},
                                                            {"/added_tokens/0/id", "added_tokens[0]"},
                                                            {"/normalizer", "normalizer"},
                                                            {"/normalizer/type", "normalizer"},
                                                            {"/pre_tokenizer", "pre_tokenizer"},
                                                            {"/pre_tokenizer/type", "pre_tokenizer"},
                                                            {"/pre_tokenizer/use_regex", "use_regex"},
                                                            {"/post_processor", "post_processor"},
                                                            {"/decoder", "decoder"},
                                                            {"/model", "model"},
                                                            {"/model/type", "model.type"},
                                                            {"/model/dropout", "dropout"},
                                                            {"/model/vocab", ""},
                                                            {"/model/vocab/a", "token \"a\""},
                                                            {"/model/merges", "merge"},
                                                            {"/model/merges/0", "merge 0"}};
    for (const auto &[place, name] : places) {
        for (const json &value : bad) {
            json config = good();
            json &target = config[json::json_pointer(place)];
            const bool same_kind = target.type() == value.type() || (target.is_number() && value == 3);
            if (same_kind && !target.is_string()) continue; // right in type
            if (value == json::array() && target.is_array()) continue;
            target = value;
            refused_text(config.dump(), name);
        }
    }
}

TEST(TokenizerJson, IdsOutOfRange) {
    for (const json &id : {json(-1), json(4194304), json(2147483648u), json(18446744073709551615u), json(1.0),
                           json("7"), json(nullptr)}) {
        refused("/model/vocab/a", id, "token \"a\" has the id");
        refused("/added_tokens/0/id", id, "added_tokens[0]");
    }
}

TEST(TokenizerJson, Merges) {
    for (const json &merge : {json(""), json("ab"), json("a b c"), json(" b"), json("a "), json({"a"}),
                              json({"a", "b", "c"}), json({"a", 1}), json({"", "b"}), json(nullptr)}) {
        refused("/model/merges/2", merge, "merge 2 is");
    }
}

TEST(TokenizerJson, WhatIsNotImplementedIsNamed) {
    const auto part = [](const char *type) { return json{{"type", type}}; };
    refused("/version", "2.0", "version \"2.0\" is not implemented");
    refused("/truncation", {{"max_length", 5}}, "truncation is not implemented");
    refused("/padding", {{"strategy", "x"}}, "padding is not implemented");
    refused("/surprise", 1, "\"surprise\" is not implemented");
    refused("/normalizer", part("NFKC"), "normalizer NFKC is not implemented");
    refused("/normalizer", {{"type", "Sequence"}, {"normalizers", {part("NFC"), part("Lowercase")}}},
            "normalizer Lowercase");
    refused("/normalizer/extra", 1, "normalizer NFC key \"extra\"");
    refused("/pre_tokenizer", part("Metaspace"), "pre_tokenizer Metaspace is not implemented");
    refused("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", json::array()}}, "without ByteLevel");
    refused("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {part("ByteLevel"), part("Digits")}}},
            "Digits after ByteLevel");
    refused("/pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {part("Digits"), part("ByteLevel")}}},
            "pre_tokenizer Digits");
    refused("/pre_tokenizer/extra", 1, "pre_tokenizer ByteLevel key \"extra\"");
    refused("/post_processor", part("TemplateProcessing"),
            "post_processor TemplateProcessing is not implemented");
    refused("/decoder", part("WordPiece"), "decoder WordPiece is not implemented");
    refused("/model/type", "Unigram", "model.type \"Unigram\" is not implemented");
    refused("/model/dropout", 0.1, "model.dropout 0.1 is not implemented");
    refused("/model/byte_fallback", true, "model.byte_fallback is not implemented");
    refused("/model/continuing_subword_prefix", "##", "continuing_subword_prefix \"##\" is not implemented");
    refused("/model/end_of_word_suffix", "</w>", "end_of_word_suffix \"</w>\" is not implemented");
    refused("/model/extra", 1, "model key \"extra\"");
    for (const char *key : {"single_word", "lstrip", "rstrip"}) {
        refused(("/added_tokens/1/" + std::string(key)).c_str(), true, "added_tokens[1]." + std::string(key));
    }
    refused("/added_tokens/1/content", "", "added_tokens[1].content");
    refused("/added_tokens/1/extra", 1, "added_tokens[1] key \"extra\"");
}

TEST(TokenizerJson, SplitPatterns) {
    const auto split = [](const json &pattern, const char *behavior, bool invert) {
        const json first{{"type", "Split"}, {"pattern", pattern}, {"behavior", behavior}, {"invert", invert}};
        const json second{{"type", "ByteLevel"}, {"use_regex", false}};
        return json{{"type", "Sequence"}, {"pretokenizers", {first, second}}};
    };
    const json gpt2{{"Regex", R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"}};
    refused("/pre_tokenizer", split({{"Regex", "\\s+"}}, "Isolated", false),
            "pre_tokenizer Split by {\"Regex\":\"\\\\s+\"}");
    refused("/pre_tokenizer", split({{"String", " "}}, "Isolated", false), "pre_tokenizer Split by");
    refused("/pre_tokenizer", split(7, "Isolated", false), "pre_tokenizer Split by 7");
    refused("/pre_tokenizer", split(gpt2, "Removed", false), "behavior \"Removed\"");
    refused("/pre_tokenizer", split(gpt2, "Isolated", true), "behavior \"Isolated\" inverted");
    json config = good();
    config["pre_tokenizer"] = split(gpt2, "Isolated", false);
    const auto read = ks::text::read_tokenizer_json(TemporaryFile(config.dump()).path());
    EXPECT_TRUE(read.split_first);
    EXPECT_FALSE(read.use_regex);
    EXPECT_TRUE(read.add_prefix_space); // its default
}
