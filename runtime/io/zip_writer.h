// SPDX-License-Identifier: Apache-2.0
// Writes a zip archive of stored members, whole or not at all; zip64 throughout, so no size needs a special
// case.
#pragma once
#include "runtime/io/atomic_file.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

namespace ks::io {

class ZipWriter {
  public:
    struct Span {
        const void *data;
        size_t size;
    };

    // Throws ks::Error(path, cause), as do all members. The file appears at `path` with finish().
    explicit ZipWriter(const std::string &path);

    // A member whose content is the spans one after another. The name must be new, not empty, below 64 KiB.
    void add(const std::string &name, const std::vector<Span> &content);
    void finish();

  private:
    void write(const std::string &bytes);

    std::string path_, directory_; // the central directory, built as members are added
    AtomicFile file_;
    uint64_t offset_ = 0;
    std::unordered_set<std::string> names_;
};

} // namespace ks::io
