// SPDX-License-Identifier: Apache-2.0
// The one exception type of the project: bad input, said in one line that names the source and the cause.
#pragma once
#include <stdexcept>
#include <string>

namespace ks {

class Error : public std::runtime_error {
  public:
    explicit Error(const std::string &what) : std::runtime_error(what) {}
    // `source` is a file, flag or key as the user wrote it; the message reads "source: cause".
    Error(const std::string &source, const std::string &cause) : std::runtime_error(source + ": " + cause) {}
};

} // namespace ks
