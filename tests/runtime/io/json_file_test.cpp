// SPDX-License-Identifier: Apache-2.0
// Limits and refusals of the JSON reader, and lists of token ids.
#include "runtime/io/json_file.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

void refuses(const std::string &text, const std::string &cause, const JsonLimits &limits = {}) {
    SCOPED_TRACE(text.substr(0, 60));
    test::expect_error("a.json: ", cause, [&] { parse_json("a.json", text, limits); });
}

std::string repeated(const std::string &text, int count) {
    std::string out;
    for (int i = 0; i < count; ++i) out += text;
    return out;
}

} // namespace

TEST(JsonFile, ReadsAndKeepsRepeatedKeysOfDifferentObjects) {
    auto value = parse_json("a.json", R"([{"a": 1, "b": {"a": 2}}, {"a": {"a": 3}, "c": {"a": 4}}])");
    EXPECT_EQ(value[1]["c"]["a"], 4);
}

TEST(JsonFile, RefusesWhatIsNoJson) {
    for (const char *text :
         {"", "{", "[1,]", "{\"a\" 1}", "nul", "[1] 2", "\"\x01\"", "\"\xff\"", "1e999", "\n\n}"})
        refuses(text, "not valid JSON");
}

TEST(JsonFile, RefusesDuplicateKeys) {
    refuses(R"({"a": 1, "a": 2})", "key 'a' appears twice");
    refuses(R"({"x": {"k": {"a": 1}, "k": 2}})", "key 'k' appears twice");
    refuses(R"({"x": {"y": 1}, "x": 2})", "key 'x' appears twice");
}

TEST(JsonFile, HoldsItsLimits) {
    JsonLimits limits{20, 3, 5};
    EXPECT_NO_THROW(parse_json("a.json", "[[[1]]]", limits));
    refuses("[[[[]]]]", "deeper than 3 levels", limits);
    refuses("[1,2,3,4,5]", "more than 5 values", limits);
    EXPECT_NO_THROW(parse_json("a.json", "[1,2,3,4]", limits));
    refuses("{\"a\":1,\"b\":2,\"c\":3}", "more than 5 values", {100, 3, 5});
    refuses(std::string(21, ' '), "21 bytes is over the limit of 20", limits);
    refuses(repeated("[", 1000000), "deeper than 32 levels");
    refuses(repeated("{\"a\":", 1000000), "deeper than 32 levels");
}

TEST(JsonFile, ReadsFiles) {
    test::ScratchFolder folder;
    EXPECT_EQ(parse_json_file(folder.write("a.json", "[1, 2]")).size(), 2u);
    test::expect_error(folder.path("b.json"), "not valid JSON",
                       [&] { parse_json_file(folder.write("b.json", "")); });
    test::expect_error(folder.path("none"), "cannot open", [&] { parse_json_file(folder.path("none")); });
}

TEST(JsonFile, ReadsTokenLists) {
    test::ScratchFolder folder;
    using Lists = std::vector<std::vector<int>>;
    auto read = [&](const std::string &text) { return read_token_lists(folder.write("t.json", text)); };
    EXPECT_EQ(read("[[1, 2], [], [2147483647]]"), (Lists{{1, 2}, {}, {2147483647}}));
    EXPECT_EQ(read("[3, 0]"), (Lists{{3, 0}}));
    EXPECT_EQ(read("[]"), Lists{});
    for (const char *bad : {"{}", "[[1], 2]", "[1, [2]]", "[1.5]", "[-1]", "[2147483648]",
                            "[18446744073709551615]", "[\"a\"]", "[[[1]]]", "[null]", "3"}) {
        SCOPED_TRACE(bad);
        test::expect_error(folder.path("t.json") + ": ", "", [&] { read(bad); });
    }
}

} // namespace ks::io
