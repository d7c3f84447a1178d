// SPDX-License-Identifier: Apache-2.0
// Leftmost, then longest, in whatever order the tokens were added.
#include "runtime/text/added_tokens.h"

#include <algorithm>

#include <gtest/gtest.h>

using ks::text::AddedTokenMatcher;

namespace {

std::vector<int> ids_in(const AddedTokenMatcher &matcher, std::string_view text) {
    std::vector<int> ids;
    size_t at = 0;
    for (AddedTokenMatcher::Match m; matcher.find(text, at, m); at = m.end) ids.push_back(m.id);
    return ids;
}

} // namespace

TEST(AddedTokenMatcher, LongestWhateverTheOrder) {
    std::vector<std::pair<const char *, int>> tokens{{"ab", 1}, {"abc", 2}, {"abcde", 3}, {"bcd", 4}};
    do {
        AddedTokenMatcher matcher;
        for (const auto &[content, id] : tokens) matcher.add(content, id);
        EXPECT_EQ(ids_in(matcher, "abcd abcde ab bcd"), (std::vector<int>{2, 3, 1, 4}));
    } while (std::next_permutation(tokens.begin(), tokens.end()));
}

TEST(AddedTokenMatcher, Places) {
    AddedTokenMatcher matcher, none;
    matcher.add("<x>", 7);
    AddedTokenMatcher::Match m{};
    ASSERT_TRUE(matcher.find("a<x<x>", 0, m));
    EXPECT_EQ(m.begin, 3u);
    EXPECT_EQ(m.end, 6u);
    EXPECT_EQ(m.id, 7);
    EXPECT_FALSE(matcher.find("<x>", 1, m));
    EXPECT_FALSE(matcher.find("<x", 0, m));
    EXPECT_FALSE(matcher.find("", 0, m));
    EXPECT_FALSE(none.find("<x>", 0, m));
}
