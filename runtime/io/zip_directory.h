// SPDX-License-Identifier: Apache-2.0
// Where the central directory of a zip archive lies and what its entries say, before any of it is trusted.
#pragma once
#include "runtime/io/zip.h"
#include <vector>

namespace ks::io {

struct ZipEntry {
    ZipMember member;    // all fields but `data`
    uint64_t header = 0; // offset of the local header
};

struct ZipDirectory {
    uint64_t offset = 0; // of the central directory in the file: members must end before it
    std::vector<ZipEntry> entries;
};

// Throws ks::Error(file path, cause).
ZipDirectory read_zip_directory(const MappedFile &file);

} // namespace ks::io
