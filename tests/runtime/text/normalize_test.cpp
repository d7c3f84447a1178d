// SPDX-License-Identifier: Apache-2.0
// NFC on examples of the Unicode standard (UAX 15), and the cheap test that lets text skip it.
#include "runtime/text/normalize.h"

#include <gtest/gtest.h>

using namespace ks::text;

TEST(Nfc, Examples) {
    EXPECT_EQ(nfc("e\u0301"), "\u00E9");
    EXPECT_EQ(nfc("\u212B \u2126"), "\u00C5 \u03A9");
    EXPECT_EQ(nfc("\u1E9B\u0323"), "\u1E9B\u0323");
    EXPECT_EQ(nfc("q\u0307\u0323"), "q\u0323\u0307");
    EXPECT_EQ(nfc("d\u0307\u0323"), "\u1E0D\u0307");
    EXPECT_EQ(nfc("\uFB01"), "\uFB01");             // compatibility characters stay
    EXPECT_EQ(nfc("\u0958"), "\u0915\u093C");       // a composition exclusion
    EXPECT_EQ(nfc("\u1112\u1161\u11AB"), "\uD55C"); // Hangul
    EXPECT_EQ(nfc(std::string("e\u0301\0x", 5)), std::string("\u00E9\0x", 4));
    EXPECT_EQ(nfc(""), "");
}

TEST(Nfc, SkippedOnlyWhereNothingChanges) {
    EXPECT_FALSE(may_change_in_nfc("plain text\n"));
    EXPECT_FALSE(may_change_in_nfc("\u00E9\u02FF"));
    EXPECT_TRUE(may_change_in_nfc("e\u0300"));
    for (unsigned code = 0x80; code < 0x300; ++code) {
        const char text[] = {static_cast<char>(0xC0 | code >> 6), static_cast<char>(0x80 | (code & 0x3F)), 0};
        EXPECT_FALSE(may_change_in_nfc(text));
        EXPECT_EQ(nfc(text), text);
    }
}
