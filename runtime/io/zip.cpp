// SPDX-License-Identifier: Apache-2.0
// Members of a zip archive: where their bytes lie, that they are apart, and their content by way of zlib.
#include "runtime/io/zip.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"
#include "runtime/io/zip_directory.h"
#include <algorithm>
#include <zlib.h>

namespace ks::io {

namespace {

constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr uint64_t kLocalSize = 30;
constexpr uint64_t kMaxRatio = 1032; // of deflate: more cannot come out, so a header that claims more lies
constexpr size_t kStep = size_t{1} << 20; // output grows from here by doubling

struct Inflater {
    z_stream stream{};
    bool ready = inflateInit2(&stream, -MAX_WBITS) == Z_OK; // raw deflate, no zlib header
    ~Inflater() {
        if (ready) inflateEnd(&stream);
    }
};

// Feeds and drains in pieces that fit zlib's 32-bit counts. Returns true when the stream ended exactly at the
// end of its input with exactly `size` bytes.
bool inflate_all(const std::byte *data, uint64_t packed, uint64_t size, std::vector<std::byte> &out) {
    Inflater inflater;
    if (!inflater.ready) return false;
    z_stream &stream = inflater.stream;
    constexpr uint64_t piece = uint64_t{1} << 30;
    uint64_t fed = 0, made = 0;
    std::byte beyond{}; // one byte of room past the end shows a stream that makes too much
    for (;;) {
        if (stream.avail_in == 0 && fed < packed) {
            stream.next_in = reinterpret_cast<Bytef *>(const_cast<std::byte *>(data + fed));
            stream.avail_in = static_cast<uInt>(std::min(piece, packed - fed));
            fed += stream.avail_in;
        }
        if (made == out.size() && made < size)
            out.resize(static_cast<size_t>(std::min<uint64_t>(size, std::max<uint64_t>(kStep, made * 2))));
        bool full = made == size;
        stream.next_out = reinterpret_cast<Bytef *>(full ? &beyond : out.data() + made);
        stream.avail_out = full ? 1 : static_cast<uInt>(std::min<uint64_t>(piece, out.size() - made));
        const uInt room = stream.avail_out;
        int status = inflate(&stream, Z_NO_FLUSH);
        if (full && stream.avail_out == 0) return false;
        if (!full) made += room - stream.avail_out;
        if (status == Z_STREAM_END) return made == size && fed == packed && stream.avail_in == 0;
        if (status != Z_OK) return false; // Z_BUF_ERROR too: the input ended before the stream did
    }
}

uint32_t crc_of(const std::byte *data, size_t size) {
    return static_cast<uint32_t>(
        crc32_z(crc32_z(0, nullptr, 0), reinterpret_cast<const Bytef *>(data), size));
}

} // namespace

ZipReader::ZipReader(const MappedFile &file) : file_(file) {
    ZipDirectory directory = read_zip_directory(file);
    members_.reserve(directory.entries.size());
    for (ZipEntry &entry : directory.entries) {
        members_.push_back(std::move(entry.member));
        ZipMember &member = members_.back();
        locate_data(member, entry.header, directory.offset);
        if (!index_.emplace(member.name, members_.size() - 1).second) fail(member, "appears twice");
    }
    check_overlap();
}

void ZipReader::fail(const std::string &cause) const { throw Error(file_.path(), cause); }
void ZipReader::fail(const ZipMember &member, const std::string &cause) const {
    fail("zip member " + shown(member.name) + ": " + cause);
}

// Only the name and the lengths before the data are taken from the local header: sizes and checksum may stand
// behind the data there (torch writes them so), the directory always has them.
void ZipReader::locate_data(ZipMember &member, uint64_t header, uint64_t directory) {
    if (!fits(header, kLocalSize, directory)) fail(member, "its header lies outside the archive");
    const std::byte *at = file_.data() + header;
    if (load_le<uint32_t>(at) != kLocalSignature) fail(member, "has no local header");
    const uint64_t name = load_le<uint16_t>(at + 26), extra = load_le<uint16_t>(at + 28);
    const uint64_t begin = header + kLocalSize + name + extra;
    if (!fits(begin, member.packed, directory)) fail(member, "its data runs past the archive");
    if (member.name.compare(0, std::string::npos, reinterpret_cast<const char *>(at + kLocalSize), name) != 0)
        fail(member, "has another name in its local header");
    if (load_le<uint16_t>(at + 8) != member.method) fail(member, "has another method in its local header");
    member.data = file_.data() + begin;
}

void ZipReader::check_overlap() const {
    std::vector<const ZipMember *> order;
    order.reserve(members_.size());
    for (const ZipMember &member : members_) order.push_back(&member);
    std::sort(order.begin(), order.end(), [](auto *a, auto *b) { return a->data < b->data; });
    for (size_t i = 1; i < order.size(); ++i) {
        // Behind each member's data the header and name of the next come at least.
        const auto between = static_cast<uint64_t>(order[i]->data - order[i - 1]->data);
        if (between < order[i - 1]->packed + kLocalSize + order[i]->name.size())
            fail(*order[i], "overlaps " + shown(order[i - 1]->name));
    }
}

const ZipMember *ZipReader::find(const std::string &name) const {
    auto found = index_.find(name);
    return found == index_.end() ? nullptr : &members_[found->second];
}

std::vector<std::byte> ZipReader::read(const ZipMember &member, uint64_t limit) const {
    if (member.size > limit)
        fail(member, std::to_string(member.size) + " bytes are over the limit of " + std::to_string(limit));
    std::vector<std::byte> out;
    if (member.method == 0) {
        out.assign(member.data, member.data + member.packed);
    } else {
        if (member.size / kMaxRatio > member.packed) fail(member, "claims more bytes than its data can hold");
        if (!inflate_all(member.data, member.packed, member.size, out))
            fail(member, "compressed data is damaged");
    }
    if (crc_of(out.data(), out.size()) != member.crc) fail(member, "checksum does not match");
    return out;
}

} // namespace ks::io
