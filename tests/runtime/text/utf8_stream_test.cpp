// SPDX-License-Identifier: Apache-2.0
// The stream must give the same text however its bytes are cut, and never a broken character in between.
#include "runtime/text/utf8_stream.h"

#include <random>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

using ks::text::Utf8Stream;

namespace {

// nlohmann's dump throws on any text that is not valid UTF-8.
bool is_whole(const std::string &text) {
    try {
        static_cast<void>(nlohmann::json(text).dump());
        return true;
    } catch (const nlohmann::json::exception &) {
        return false;
    }
}

} // namespace

TEST(Utf8Stream, HoldsBackAnUnfinishedCharacter) {
    Utf8Stream stream;
    EXPECT_EQ(stream.feed("a\xF0"), "a");
    EXPECT_EQ(stream.feed("\x9F"), "");
    EXPECT_EQ(stream.feed(""), "");
    EXPECT_EQ(stream.feed("\x99"), "");
    EXPECT_EQ(stream.feed("\x82z"), "\xF0\x9F\x99\x82z");
    EXPECT_EQ(stream.flush(), "");
}

TEST(Utf8Stream, FlushReplacesTheRestAndStartsAnew) {
    Utf8Stream stream;
    EXPECT_EQ(stream.feed("\xE2\x82"), "");
    EXPECT_EQ(stream.flush(), "\xEF\xBF\xBD");
    EXPECT_EQ(stream.flush(), "");
    EXPECT_EQ(stream.feed("\xAC"), "\xEF\xBF\xBD"); // no longer the end of the euro sign
}

TEST(Utf8Stream, ReplacesHopelessBytesAtOnce) {
    Utf8Stream stream;
    EXPECT_EQ(stream.feed("\xFF"), "\xEF\xBF\xBD");
    EXPECT_EQ(stream.feed("\xED"), "");
    EXPECT_EQ(stream.feed("\xA0"), "\xEF\xBF\xBD\xEF\xBF\xBD");
    EXPECT_EQ(stream.feed("\xC3("), "\xEF\xBF\xBD(");
}

TEST(Utf8Stream, AnyCutGivesTheSameText) {
    std::mt19937 random(7);
    const std::string parts[] = {"a",    "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x99\x82",  "\xF0\x9F", "\xE2",
                                 "\x80", "\xFF",     "\xED\xA0\x80", std::string(1, '\0')};
    for (int round = 0; round < 2000; ++round) {
        std::string bytes;
        for (unsigned n = random() % 12; n > 0; --n) bytes += parts[random() % std::size(parts)];
        Utf8Stream whole, cut;
        std::string expected = whole.feed(bytes);
        expected += whole.flush();
        std::string got;
        for (size_t at = 0; at < bytes.size();) {
            const size_t n = 1 + random() % 3;
            const std::string piece = cut.feed(std::string_view(bytes).substr(at, n));
            ASSERT_TRUE(is_whole(piece));
            got += piece;
            at += n;
        }
        ASSERT_EQ(got + cut.flush(), expected);
    }
}
