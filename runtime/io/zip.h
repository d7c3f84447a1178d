// SPDX-License-Identifier: Apache-2.0
// A strict reader of zip archives inside a mapped file (torch checkpoints, npz), zip64 included.
#pragma once
#include "runtime/io/mapped_file.h"
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace ks::io {

struct ZipMember {
    std::string name;
    uint16_t method = 0;             // 0 stored, 8 deflated
    uint32_t crc = 0;                // of the content
    uint64_t packed = 0;             // bytes in the file
    uint64_t size = 0;               // bytes of content; equal to packed when stored
    const std::byte *data = nullptr; // the packed bytes, borrowed from the mapping
};

// The directory is checked whole in the constructor: one disk, no encryption, methods stored and deflated
// only, no name twice, local headers that agree with the directory, members that do not overlap (so no
// content is counted twice), nothing after the end record but its comment. Contents are not read there.
class ZipReader {
  public:
    // `file` must outlive the reader. Throws ks::Error(file path, cause).
    explicit ZipReader(const MappedFile &file);

    const std::vector<ZipMember> &members() const { return members_; } // in the order of the directory
    const ZipMember *find(const std::string &name) const;              // null when absent

    // The content of any member, inflated if needed, its checksum verified. Refuses a member of more than
    // `limit` bytes; memory grows with what is really inflated, not with the size a header claims.
    std::vector<std::byte> read(const ZipMember &member, uint64_t limit) const;

  private:
    [[noreturn]] void fail(const std::string &cause) const;
    [[noreturn]] void fail(const ZipMember &member, const std::string &cause) const;
    void locate_data(ZipMember &member, uint64_t header, uint64_t directory);
    void check_overlap() const;

    const MappedFile &file_;
    std::vector<ZipMember> members_;
    std::unordered_map<std::string, size_t> index_; // name -> position in members_
};

} // namespace ks::io
