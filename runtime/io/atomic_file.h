// SPDX-License-Identifier: Apache-2.0
// A file that appears whole or not at all: written beside its place, renamed into it by commit().
#pragma once
#include <cstddef>
#include <string>

namespace ks::io {

class AtomicFile {
  public:
    // Throws ks::Error(path, cause), as do all members.
    explicit AtomicFile(const std::string &path);
    AtomicFile(const AtomicFile &) = delete;
    AtomicFile &operator=(const AtomicFile &) = delete;
    ~AtomicFile(); // without commit(): removes what was written and leaves an older file untouched

    void write(const void *data, size_t count);
    void commit(); // flushed to the disk, then renamed over `path`; at most once

  private:
    [[noreturn]] void fail(const char *action) const;

    std::string path_, part_;
    int fd_ = -1;
};

} // namespace ks::io
