// SPDX-License-Identifier: Apache-2.0
// Records of a zip archive as in PKWARE's APPNOTE, with a zip64 extra field in each.
#include "runtime/io/zip_writer.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include <zlib.h>

namespace ks::io {

namespace {

constexpr uint16_t kVersion = 45;                   // zip64
constexpr uint16_t kUtf8 = 0x800;                   // names are UTF-8
constexpr uint16_t kDate = (0 << 9) | (1 << 5) | 1; // 1980-01-01: the same input gives the same bytes
constexpr uint32_t kWide = 0xffffffff;              // "see the zip64 extra field"

template <typename T>
void put(std::string &out, T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    out.append(bytes, sizeof(T));
}

// The fields that local header and directory entry share, from flags to the lengths of name and extra field.
void put_common(std::string &out, uint32_t crc, size_t name, uint16_t extra) {
    put<uint16_t>(out, kUtf8);
    put<uint16_t>(out, 0); // stored
    put<uint16_t>(out, 0); // midnight
    put<uint16_t>(out, kDate);
    put<uint32_t>(out, crc);
    put<uint32_t>(out, kWide);
    put<uint32_t>(out, kWide);
    put<uint16_t>(out, static_cast<uint16_t>(name));
    put<uint16_t>(out, extra);
}

} // namespace

ZipWriter::ZipWriter(const std::string &path) : path_(path), file_(path) {}

void ZipWriter::write(const std::string &bytes) {
    file_.write(bytes.data(), bytes.size());
    offset_ += bytes.size();
}

void ZipWriter::add(const std::string &name, const std::vector<Span> &content) {
    if (name.empty() || name.size() > 0xffff) throw Error(path_, "a member name is empty or too long");
    if (!names_.insert(name).second) throw Error(path_, "member " + shown(name) + " is written twice");
    uint64_t size = 0;
    auto crc = crc32_z(0, nullptr, 0);
    for (const Span &span : content) {
        size += span.size;
        if (span.size > 0) crc = crc32_z(crc, static_cast<const Bytef *>(span.data), span.size);
    }
    const uint64_t header = offset_;
    std::string local;
    put<uint32_t>(local, 0x04034b50);
    put<uint16_t>(local, kVersion);
    put_common(local, static_cast<uint32_t>(crc), name.size(), 20);
    local += name;
    put<uint16_t>(local, 1); // zip64: size, packed size
    put<uint16_t>(local, 16);
    put<uint64_t>(local, size);
    put<uint64_t>(local, size);
    write(local);
    for (const Span &span : content) file_.write(span.data, span.size);
    offset_ += size;

    put<uint32_t>(directory_, 0x02014b50);
    put<uint16_t>(directory_, kVersion);
    put<uint16_t>(directory_, kVersion);
    put_common(directory_, static_cast<uint32_t>(crc), name.size(), 28);
    put<uint16_t>(directory_, 0); // comment
    put<uint16_t>(directory_, 0); // disk
    put<uint16_t>(directory_, 0); // internal attributes
    put<uint32_t>(directory_, 0); // external attributes
    put<uint32_t>(directory_, kWide);
    directory_ += name;
    put<uint16_t>(directory_, 1); // zip64: size, packed size, offset
    put<uint16_t>(directory_, 24);
    put<uint64_t>(directory_, size);
    put<uint64_t>(directory_, size);
    put<uint64_t>(directory_, header);
}

void ZipWriter::finish() {
    const uint64_t begin = offset_, count = names_.size();
    write(directory_);
    const uint64_t end = offset_;
    std::string tail;
    put<uint32_t>(tail, 0x06064b50);
    put<uint64_t>(tail, 44); // of this record, what follows
    put<uint16_t>(tail, kVersion);
    put<uint16_t>(tail, kVersion);
    put<uint32_t>(tail, 0);
    put<uint32_t>(tail, 0);
    put<uint64_t>(tail, count);
    put<uint64_t>(tail, count);
    put<uint64_t>(tail, end - begin);
    put<uint64_t>(tail, begin);
    put<uint32_t>(tail, 0x07064b50);
    put<uint32_t>(tail, 0);
    put<uint64_t>(tail, end);
    put<uint32_t>(tail, 1);
    put<uint32_t>(tail, 0x06054b50);
    put<uint16_t>(tail, 0);
    put<uint16_t>(tail, 0);
    put<uint16_t>(tail, 0xffff);
    put<uint16_t>(tail, 0xffff);
    put<uint32_t>(tail, kWide);
    put<uint32_t>(tail, kWide);
    put<uint16_t>(tail, 0);
    write(tail);
    file_.commit();
}

} // namespace ks::io
