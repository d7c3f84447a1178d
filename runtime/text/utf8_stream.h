// SPDX-License-Identifier: Apache-2.0
// Turns the bytes of tokens, as they come, into text that never holds a broken UTF-8 character.
#pragma once
#include <string>
#include <string_view>

namespace ks::text {

// Not thread-safe: one per stream.
class Utf8Stream {
  public:
    // Takes bytes; returns all text that is now complete. At most 3 bytes are held back. Bytes that can no
    // longer become a character come out as U+FFFD at once.
    std::string feed(std::string_view bytes);

    // The end: one U+FFFD if a character was left incomplete, else nothing. The stream can be used again.
    std::string flush();

  private:
    std::string held_; // the beginning of one character
};

} // namespace ks::text
