// SPDX-License-Identifier: Apache-2.0
// Finds added tokens ("<|endoftext|>", runs of spaces) in text: leftmost first, the longest of those.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace ks::text {

class AddedTokenMatcher {
  public:
    struct Match {
        size_t begin, end; // bytes of the text
        int id;
    };

    // `content` is not empty. Of two equal contents the first wins.
    void add(std::string content, int id);

    // The next match at or after `from`; false if there is none.
    bool find(std::string_view text, size_t from, Match &match) const;

  private:
    struct Token {
        std::string content;
        int id;
    };
    std::array<std::vector<Token>, 256> by_first_byte_; // each longest first
};

} // namespace ks::text
