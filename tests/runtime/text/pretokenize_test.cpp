// SPDX-License-Identifier: Apache-2.0
// The GPT-2 split on cases worked out by hand from the pattern.
#include "runtime/text/pretokenize.h"

#include <string>

#include <gtest/gtest.h>

using namespace ks::text;
using Words = std::vector<std::string>;

namespace {

Words split(const std::string &text) {
    std::vector<std::string_view> views;
    Gpt2Splitter().split(text, views);
    return {views.begin(), views.end()};
}

} // namespace

TEST(Gpt2Splitter, WordsNumbersAndSigns) {
    EXPECT_EQ(split(""), Words{});
    EXPECT_EQ(split("Hello, world 42!"), (Words{"Hello", ",", " world", " 42", "!"}));
    EXPECT_EQ(split("x1_y"), (Words{"x", "1", "_", "y"}));
    EXPECT_EQ(split(" !?a"), (Words{" !?", "a"}));
    EXPECT_EQ(split("\u00BD\u2167 \u4E2D\u6587"), (Words{"\u00BD\u2167", " \u4E2D\u6587"}));
    EXPECT_EQ(split("e\u0301a"), (Words{"e", "\u0301", "a"})); // a mark is no letter
}

TEST(Gpt2Splitter, Contractions) {
    EXPECT_EQ(split("I'm we'll 'd"), (Words{"I", "'m", " we", "'ll", " '", "d"}));
    EXPECT_EQ(split("'reap"), (Words{"'re", "ap"}));
    EXPECT_EQ(split("I'M"), (Words{"I", "'", "M"}));
}

TEST(Gpt2Splitter, Spaces) {
    EXPECT_EQ(split("a  b"), (Words{"a", " ", " b"}));
    EXPECT_EQ(split("a   "), (Words{"a", "   "}));
    EXPECT_EQ(split("a\n\nb"), (Words{"a", "\n", "\n", "b"}));
    EXPECT_EQ(split("a\tb"), (Words{"a", "\t", "b"}));
    for (const char *space :
         {"\u0085", "\u00A0", "\u1680", "\u2000", "\u200A", "\u2028", "\u202F", "\u205F", "\u3000"}) {
        EXPECT_EQ(split("a" + std::string(space) + "!"), (Words{"a", space, "!"}));
    }
    for (const char *sign : {"\u180E", "\u200B", "\uFEFF", "\x1C", "\x1F"}) { // look like spaces, are none
        EXPECT_EQ(split("a" + std::string(sign) + "!"), (Words{"a", sign + std::string("!")}));
    }
    EXPECT_EQ(split(std::string("a\0b", 3)), (Words{"a", std::string(1, '\0'), "b"}));
}

TEST(Gpt2Splitter, LongRunsAreOneWord) {
    const std::string letters(3000000, 'a'), spaces(3000000, ' ');
    EXPECT_EQ(split(letters).size(), 1u);
    EXPECT_EQ(split(spaces + "a"), (Words{spaces.substr(1), " a"}));
}

TEST(Gpt2Splitter, KnowsItsPattern) {
    EXPECT_TRUE(
        is_gpt2_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"));
    EXPECT_TRUE(
        is_gpt2_pattern(R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"));
    EXPECT_FALSE(
        is_gpt2_pattern(R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"));
    EXPECT_FALSE(is_gpt2_pattern(""));
}
