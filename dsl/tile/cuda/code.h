// SPDX-License-Identifier: Apache-2.0
// PTX under construction: one line a call, its parts put side by side.
#pragma once
#include <sstream>
#include <string>

namespace ks::tile {

class Code {
  public:
    template <typename... Parts>
    void operator()(const Parts &...parts) {
        text_ << "\n\t";
        (text_ << ... << parts);
    }
    // A scope of its own for labels and registers.
    template <typename Body>
    void block(const Body &body) {
        (*this)("{");
        body();
        (*this)("}");
    }
    std::string text() const { return text_.str(); }

  private:
    std::ostringstream text_;
};

} // namespace ks::tile
