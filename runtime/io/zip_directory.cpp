// SPDX-License-Identifier: Apache-2.0
// End records (plain and zip64) and central directory of a zip archive. Field offsets as in PKWARE's APPNOTE.
#include "runtime/io/zip_directory.h"
#include "runtime/base/error.h"
#include "runtime/io/bytes.h"

namespace ks::io {

namespace {

constexpr uint32_t kEntrySignature = 0x02014b50, kEndSignature = 0x06054b50;
constexpr uint32_t kEnd64Signature = 0x06064b50, kLocatorSignature = 0x07064b50;
constexpr uint64_t kEntrySize = 46, kEndSize = 22, kEnd64Size = 56, kLocatorSize = 20, kMaxComment = 0xffff;

struct Extent {
    uint64_t count = 0, bytes = 0, offset = 0; // of the central directory
    uint64_t end = 0;                          // where it must end: the first end record
};

class DirectoryReader {
  public:
    explicit DirectoryReader(const MappedFile &file) : file_(file) {}

    ZipDirectory read() const {
        Extent at = extent();
        if (!fits(at.offset, at.bytes, file_.size()) || at.offset + at.bytes != at.end)
            fail("the zip directory does not lie right before its end record");
        // Before the list is allocated: an entry takes 46 bytes at least.
        if (at.count > at.bytes / kEntrySize) fail("the zip directory is too short for its member count");
        ZipDirectory out;
        out.offset = at.offset;
        out.entries.reserve(at.count);
        uint64_t cursor = at.offset;
        for (uint64_t i = 0; i < at.count; ++i) out.entries.push_back(entry(cursor, at.end));
        if (cursor != at.end) fail("the zip directory holds more than its members");
        return out;
    }

  private:
    [[noreturn]] void fail(const std::string &cause) const { throw Error(file_.path(), cause); }
    template <typename T>
    T get(uint64_t offset) const {
        return load_le<T>(file_.data() + offset);
    }

    // The end record is the last thing in the file but for a comment whose length it states.
    uint64_t find_end() const {
        if (file_.size() < kEndSize) fail("too short for a zip archive");
        for (uint64_t comment = 0; comment <= kMaxComment && comment + kEndSize <= file_.size(); ++comment) {
            uint64_t at = file_.size() - kEndSize - comment;
            if (get<uint32_t>(at) == kEndSignature && get<uint16_t>(at + 20) == comment) return at;
        }
        fail("is not a zip archive, or is cut short (no end record)");
    }

    Extent extent() const {
        uint64_t at = find_end();
        if (get<uint16_t>(at + 4) != 0 || get<uint16_t>(at + 6) != 0)
            fail("the zip archive spans several disks");
        if (at >= kLocatorSize && get<uint32_t>(at - kLocatorSize) == kLocatorSignature) return extent64(at);
        Extent out{get<uint16_t>(at + 10), get<uint32_t>(at + 12), get<uint32_t>(at + 16), at};
        if (out.count == 0xffff || out.bytes == 0xffffffff || out.offset == 0xffffffff)
            fail("the zip archive needs a zip64 end record and has none");
        if (get<uint16_t>(at + 8) != out.count) fail("the zip archive spans several disks");
        return out;
    }

    Extent extent64(uint64_t end) const {
        uint64_t locator = end - kLocatorSize, at = get<uint64_t>(locator + 8);
        if (get<uint32_t>(locator + 4) != 0 || get<uint32_t>(locator + 16) > 1)
            fail("the zip archive spans several disks");
        if (!fits(at, kEnd64Size, locator) || at + kEnd64Size != locator ||
            get<uint32_t>(at) != kEnd64Signature || get<uint64_t>(at + 4) != kEnd64Size - 12)
            fail("the zip64 end record is not where its locator says");
        if (get<uint64_t>(at + 24) != get<uint64_t>(at + 32) || get<uint32_t>(at + 16) != 0 ||
            get<uint32_t>(at + 20) != 0)
            fail("the zip archive spans several disks");
        return {get<uint64_t>(at + 32), get<uint64_t>(at + 40), get<uint64_t>(at + 48), at};
    }

    // Reads the entry at `cursor` and moves the cursor behind it.
    ZipEntry entry(uint64_t &cursor, uint64_t end) const {
        if (!fits(cursor, kEntrySize, end) || get<uint32_t>(cursor) != kEntrySignature)
            fail("the zip directory is damaged");
        const uint64_t name = get<uint16_t>(cursor + 28), extra = get<uint16_t>(cursor + 30);
        const uint64_t comment = get<uint16_t>(cursor + 32), flags = get<uint16_t>(cursor + 8);
        if (!fits(cursor + kEntrySize, name + extra + comment, end)) fail("the zip directory is damaged");
        ZipEntry out;
        ZipMember &member = out.member;
        member.name.assign(reinterpret_cast<const char *>(file_.data() + cursor + kEntrySize), name);
        member.method = get<uint16_t>(cursor + 10);
        member.crc = get<uint32_t>(cursor + 16);
        member.packed = get<uint32_t>(cursor + 20);
        member.size = get<uint32_t>(cursor + 24);
        out.header = get<uint32_t>(cursor + 42);
        const std::string who = "zip member " + shown(member.name) + ": ";
        if (name == 0 || member.name.find('\0') != std::string::npos) fail(who + "has no usable name");
        if (flags & 0x2041) fail(who + "is encrypted");
        if (member.method != 0 && member.method != 8)
            fail(who + "compression method " + std::to_string(member.method) + " is not supported");
        if (get<uint16_t>(cursor + 34) != 0) fail(who + "lies on another disk");
        widen(out, cursor + kEntrySize + name, extra, who);
        if (member.method == 0 && member.packed != member.size) fail(who + "stored with two different sizes");
        cursor += kEntrySize + name + extra + comment;
        return out;
    }

    // Replaces the fields that are all ones by those of the zip64 extra field, which holds only these, in
    // order.
    void widen(ZipEntry &entry, uint64_t at, uint64_t count, const std::string &who) const {
        uint64_t *fields[] = {&entry.member.size, &entry.member.packed, &entry.header};
        bool wanted = false;
        for (uint64_t *field : fields) wanted = wanted || *field == 0xffffffff;
        const uint64_t end = at + count;
        while (wanted && fits(at, 4, end)) {
            const uint64_t id = get<uint16_t>(at), bytes = get<uint16_t>(at + 2);
            at += 4;
            if (!fits(at, bytes, end)) fail(who + "extra field is damaged");
            if (id != 1) {
                at += bytes;
                continue;
            }
            const uint64_t field_end = at + bytes;
            for (uint64_t *field : fields) {
                if (*field != 0xffffffff) continue;
                if (!fits(at, 8, field_end)) fail(who + "zip64 extra field is too short");
                *field = get<uint64_t>(at);
                at += 8;
            }
            return;
        }
        if (wanted) fail(who + "needs a zip64 extra field and has none");
    }

    const MappedFile &file_;
};

} // namespace

ZipDirectory read_zip_directory(const MappedFile &file) { return DirectoryReader(file).read(); }

} // namespace ks::io
