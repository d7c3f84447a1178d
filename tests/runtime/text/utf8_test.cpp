// SPDX-License-Identifier: Apache-2.0
// UTF-8 steps: every code point, and the ill-formed sequences of the Unicode standard's section 3.9.
#include "runtime/text/utf8.h"

#include <gtest/gtest.h>

using namespace ks::text;

namespace {

// By the definition, not by table 3-7.
std::string encoded(uint32_t code) {
    std::string out;
    const int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    const uint32_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    out += static_cast<char>(lead[more] | code >> (6 * more));
    for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (code >> (6 * i) & 0x3F));
    return out;
}

} // namespace

TEST(Utf8, EveryCodePoint) {
    for (uint32_t code = 0; code < 0x110400; ++code) {
        const std::string text = encoded(code);
        const bool valid = code < 0x110000 && (code < 0xD800 || code > 0xDFFF);
        ASSERT_EQ(is_valid_utf8(text), valid) << code;
        if (!valid) continue;
        const Utf8Step step = utf8_step(text.data(), text.size());
        ASSERT_EQ(step.length, static_cast<int>(text.size()));
        ASSERT_EQ(utf8_code_point(text.data(), step.length), code);
        for (size_t n = 1; n < text.size(); ++n) {
            const Utf8Step part = utf8_step(text.data(), n);
            ASSERT_EQ(part.kind, Utf8Kind::cut) << code;
            ASSERT_EQ(part.length, static_cast<int>(n));
        }
    }
}

TEST(Utf8, MaximalIllFormedParts) {
    const std::string r = "\xEF\xBF\xBD";
    EXPECT_EQ(replace_ill_formed("plain \xC3\xA9"), "plain \xC3\xA9");
    EXPECT_EQ(replace_ill_formed("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                                 "A"),
              r + r + r + r + r + r + r + r + "A"); // 3-8
    EXPECT_EQ(replace_ill_formed("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                                 "A"),
              r + r + r + r + r + r + r + r + "A"); // 3-9
    EXPECT_EQ(replace_ill_formed("\xF4\x91\x92\x93\xFF"
                                 "A\x80\xBF"
                                 "B"),
              r + r + r + r + r + "A" + r + r + "B"); // 3-10
    EXPECT_EQ(replace_ill_formed("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                                 "A"),
              r + r + r + r + "A"); // 3-11
    EXPECT_EQ(replace_ill_formed("x\xF0\x9F\x99"), "x" + r);
    EXPECT_EQ(replace_ill_formed(""), "");
    EXPECT_EQ(replace_ill_formed(std::string("\0\xFF", 2)), std::string("\0", 1) + r);
}
