// SPDX-License-Identifier: Apache-2.0
// GPT-2's split of text into words, by PCRE2: the pieces inside which byte-level BPE merges.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

namespace ks::text {

// True for the pattern of GPT-2, in either of the two ways in which tokenizer files write it.
bool is_gpt2_pattern(std::string_view regex);

// Copies share one compiled pattern; all use is const and thread-safe.
class Gpt2Splitter {
  public:
    Gpt2Splitter(); // throws ks::Error if PCRE2 was built without Unicode

    // Appends the pieces of `text` (valid UTF-8) to `words`, in order and with nothing left between them.
    // They are views into `text`.
    void split(std::string_view text, std::vector<std::string_view> &words) const;

  private:
    std::shared_ptr<void> code_; // pcre2_code
};

} // namespace ks::text
