// SPDX-License-Identifier: Apache-2.0
// The byte alphabet against letters known from GPT-2's vocabulary, and there and back for all bytes.
#include "runtime/text/byte_alphabet.h"

#include <set>

#include <gtest/gtest.h>

using namespace ks::text;

TEST(ByteAlphabet, KnownLetters) {
    EXPECT_EQ(letter_of('a'), "a");
    EXPECT_EQ(letter_of('!'), "!");
    EXPECT_EQ(letter_of('~'), "~");
    EXPECT_EQ(letter_of(0x00), "\u0100");
    EXPECT_EQ(letter_of('\n'), "\u010A");
    EXPECT_EQ(letter_of(' '), "\u0120");
    EXPECT_EQ(letter_of(0x7F), "\u0121");
    EXPECT_EQ(letter_of(0xA0), "\u0142");
    EXPECT_EQ(letter_of(0xA1), "\u00A1");
    EXPECT_EQ(letter_of(0xAD), "\u0143");
    EXPECT_EQ(letter_of(0xFF), "\u00FF");
}

TEST(ByteAlphabet, ThereAndBack) {
    std::set<std::string_view> seen;
    for (unsigned b = 0; b < 256; ++b) {
        const std::string_view letter = letter_of(static_cast<unsigned char>(b));
        EXPECT_TRUE(seen.insert(letter).second);
        EXPECT_EQ(bytes_of_spelling(letter), std::string(1, static_cast<char>(b)));
    }
    EXPECT_EQ(bytes_of_spelling("\u0120caf\u00C3\u00A9"), " caf\xC3\xA9");
    EXPECT_EQ(bytes_of_spelling(""), "");
}

TEST(ByteAlphabet, WhatIsNoLetter) {
    for (const char *text : {" ", "a b", "\n", "\u00AD", "\u0144", "\u4E2D", "\xFF"}) {
        EXPECT_FALSE(bytes_of_spelling(text)) << text;
    }
}
