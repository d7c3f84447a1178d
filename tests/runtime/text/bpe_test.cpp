// SPDX-License-Identifier: Apache-2.0
// Merging against the textbook loop, on random merge tables.
#include "runtime/text/bpe.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "runtime/base/error.h"

using ks::text::Bpe;

namespace {

struct Table {
    std::array<int, 256> byte_ids;
    std::vector<Bpe::Merge> merges;
    std::map<std::pair<int, int>, size_t> rank;
};

// Letters a..d and merges of random known tokens; every token can be made in one way only.
Table random_table(std::mt19937 &random) {
    Table t;
    t.byte_ids.fill(-1);
    std::vector<std::string> tokens;
    for (char c = 'a'; c <= 'd'; ++c) {
        t.byte_ids[static_cast<size_t>(c)] = static_cast<int>(tokens.size());
        tokens.push_back(std::string(1, c));
    }
    for (int tries = 0; tries < 40; ++tries) {
        const int a = static_cast<int>(random() % tokens.size()),
                  b = static_cast<int>(random() % tokens.size());
        const std::string joined = tokens[static_cast<size_t>(a)] + tokens[static_cast<size_t>(b)];
        if (std::find(tokens.begin(), tokens.end(), joined) != tokens.end()) continue;
        t.rank[{a, b}] = t.merges.size();
        t.merges.push_back({a, b, static_cast<int>(tokens.size())});
        tokens.push_back(joined);
    }
    return t;
}

std::vector<int> merged_slowly(const Table &t, const std::string &word) {
    std::vector<int> ids;
    for (const char c : word) ids.push_back(t.byte_ids[static_cast<size_t>(c)]);
    for (;;) {
        size_t best = t.merges.size(), at = 0;
        for (size_t i = 0; i + 1 < ids.size(); ++i) {
            const auto it = t.rank.find({ids[i], ids[i + 1]});
            if (it != t.rank.end() && it->second < best) best = it->second, at = i;
        }
        if (best == t.merges.size()) return ids;
        ids[at] = t.merges[best].result;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    }
}

} // namespace

TEST(Bpe, SameAsTheTextbookLoop) {
    std::mt19937 random(3);
    Bpe::Scratch scratch;
    for (int round = 0; round < 300; ++round) {
        const Table table = random_table(random);
        const Bpe bpe(table.byte_ids, table.merges);
        for (int n = 0; n < 20; ++n) {
            std::string word;
            for (unsigned length = random() % 40; length > 0; --length)
                word += static_cast<char>('a' + random() % 4);
            std::vector<int> ids;
            bpe.encode(word, scratch, ids);
            ASSERT_EQ(ids, merged_slowly(table, word)) << word;
        }
    }
}

TEST(Bpe, LongWordInReasonableTime) {
    std::array<int, 256> byte_ids;
    byte_ids.fill(-1);
    byte_ids['a'] = 0;
    const Bpe bpe(byte_ids, {{0, 0, 1}, {1, 1, 2}, {2, 2, 3}});
    Bpe::Scratch scratch;
    std::vector<int> ids{99}; // what is there stays
    bpe.encode(std::string(800001, 'a'), scratch, ids);
    ASSERT_EQ(ids.size(), 100002u);
    EXPECT_EQ(ids[0], 99);
    EXPECT_EQ(ids[1], 3);
    EXPECT_EQ(ids.back(), 0);
}

TEST(Bpe, BytesWithoutIdAreLeftOut) {
    std::array<int, 256> byte_ids;
    byte_ids.fill(-1);
    byte_ids['a'] = 5;
    byte_ids['b'] = 6;
    Bpe::Scratch scratch;
    std::vector<int> ids;
    const Bpe bpe(byte_ids, {{5, 6, 9}});
    bpe.encode("\xFF"
               "a\xFF"
               "b",
               scratch, ids);
    bpe.encode("\xFF", scratch, ids);
    bpe.encode("", scratch, ids);
    EXPECT_EQ(ids, std::vector<int>{9});
}

TEST(Bpe, SamePairTwice) {
    std::array<int, 256> byte_ids;
    byte_ids.fill(0);
    EXPECT_THROW(Bpe(byte_ids, {{0, 1, 2}, {0, 1, 2}}), ks::Error);
}
