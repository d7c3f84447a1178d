// SPDX-License-Identifier: Apache-2.0
// Archives built by the test: good ones, every prefix of one, and ones that lie in one field each.
#include "runtime/io/zip.h"
#include "tests/runtime/io/files.h"
#include <zlib.h>

namespace ks::io {

namespace {

using test::le;
using test::Member;
using test::zip_of;

Member deflated(const std::string &name, const std::string &content) {
    z_stream s{};
    deflateInit2(&s, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY);
    std::string out(deflateBound(&s, content.size()), '\0');
    s.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
    s.avail_in = static_cast<uInt>(content.size());
    s.next_out = reinterpret_cast<Bytef *>(out.data());
    s.avail_out = static_cast<uInt>(out.size());
    deflate(&s, Z_FINISH);
    out.resize(s.total_out);
    deflateEnd(&s);
    Member m(name, content);
    m.method = 8;
    m.packed = out;
    return m;
}

class ZipTest : public ::testing::Test {
  protected:
    static std::string text(const ZipReader &zip, const std::string &name, uint64_t limit = 1 << 30) {
        auto bytes = zip.read(*zip.find(name), limit);
        return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
    }
    void refuses(const std::string &bytes, const std::string &cause) {
        const std::string path = folder_.write("x.zip", bytes);
        MappedFile file(path);
        test::expect_error(path + ": ", cause, [&] { ZipReader zip(file); });
    }
    void refuses_read(const Member &member, const std::string &cause, uint64_t limit = 1 << 30) {
        const std::string path = folder_.write("x.zip", zip_of({member}));
        MappedFile file(path);
        ZipReader zip(file);
        test::expect_error(path + ": zip member 'm': ", cause, [&] { zip.read(zip.members().at(0), limit); });
    }
    test::ScratchFolder folder_;
};

std::string changed(std::string bytes, size_t at, const std::string &with) {
    return bytes.replace(at, with.size(), with);
}

} // namespace

TEST_F(ZipTest, ReadsStoredAndDeflated) {
    const std::string large(3000000, 'z');
    Member padded("a/data", "1234");
    padded.local_extra = le<uint16_t>(0x4246) + le<uint16_t>(3) + "ZZZ"; // torch aligns its storages so
    MappedFile file(folder_.write(
        "x.zip", zip_of({padded, deflated("b", large), Member("empty", ""), deflated("nothing", "")})));
    ZipReader zip(file);
    ASSERT_EQ(zip.members().size(), 4u);
    EXPECT_EQ(text(zip, "a/data"), "1234");
    EXPECT_EQ(zip.find("a/data")->data, file.data() + 30 + 6 + 7); // in place
    EXPECT_EQ(text(zip, "b"), large);
    EXPECT_EQ(text(zip, "empty"), "");
    EXPECT_EQ(text(zip, "nothing"), "");
    EXPECT_EQ(zip.find("c"), nullptr);
}

TEST_F(ZipTest, ReadsZip64) {
    // One member whose three fields all stand in the extra field, and a zip64 end record.
    const std::string body =
        le<uint32_t>(0x04034b50) + std::string(22, '\0') + le<uint16_t>(1) + le<uint16_t>(0) + "m1234";
    const std::string extra = le<uint16_t>(9) + le<uint16_t>(1) + "x" + le<uint16_t>(1) + le<uint16_t>(24) +
                              le<uint64_t>(4) + le<uint64_t>(4) + le<uint64_t>(0);
    const std::string entry = le<uint32_t>(0x02014b50) + std::string(12, '\0') + le(test::slow_crc("1234")) +
                              le<uint32_t>(~0u) + le<uint32_t>(~0u) + le<uint16_t>(1) +
                              le(static_cast<uint16_t>(extra.size())) + std::string(10, '\0') +
                              le<uint32_t>(~0u) + "m" + extra;
    const std::string end64 = le<uint32_t>(0x06064b50) + le<uint64_t>(44) + std::string(12, '\0') +
                              le<uint64_t>(1) + le<uint64_t>(1) + le<uint64_t>(entry.size()) +
                              le<uint64_t>(body.size());
    const std::string locator = le<uint32_t>(0x07064b50) + le<uint32_t>(0) +
                                le<uint64_t>(body.size() + entry.size()) + le<uint32_t>(1);
    const std::string end =
        le<uint32_t>(0x06054b50) + std::string(4, '\0') + std::string(12, '\xff') + le<uint16_t>(0);
    const std::string whole = body + entry + end64 + locator + end;
    MappedFile file(folder_.write("x64.zip", whole));
    EXPECT_EQ(text(ZipReader(file), "m"), "1234");

    for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
    refuses(body + entry + end, "needs a zip64 end record");
    const size_t record = body.size() + entry.size();
    refuses(changed(whole, record + 32, le<uint64_t>(2)), "several disks");
    refuses(changed(whole, record + 24, le<uint64_t>(~0ull) + le<uint64_t>(~0ull)),
            "too short for its member count");
    refuses(changed(whole, record + 40, le<uint64_t>(~0ull)), "does not lie right before");
    refuses(changed(whole, record + 48, le<uint64_t>(~0ull)), "does not lie right before");
    refuses(changed(whole, record + 56 + 8, le<uint64_t>(~0ull)), "not where its locator says");
    const size_t fields = body.size() + 46 + 1 + 5 + 4;
    refuses(changed(whole, fields, le<uint64_t>(1ull << 62) + le<uint64_t>(1ull << 62)),
            "runs past the archive");
    refuses(changed(whole, fields + 16, le<uint64_t>(~0ull)), "lies outside");
    refuses(changed(whole, fields - 2, le<uint16_t>(8)), "extra field is too short");
    refuses(changed(whole, fields - 4, le<uint16_t>(2)), "needs a zip64 extra field");
    refuses(changed(whole, fields - 7, le<uint16_t>(999)), "extra field is damaged");
}

TEST_F(ZipTest, RefusesEveryPrefixAndTrailingBytes) {
    const std::string whole = zip_of({Member("a", "1234"), deflated("b", "hello hello hello")});
    for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
    refuses(whole + "x", "is not a zip archive");
}

TEST_F(ZipTest, RefusesLyingDirectories) {
    const Member good("m", "1234");
    Member m = good;
    m.flags = 1;
    refuses(zip_of({m}), "is encrypted");
    m = good;
    m.method = 12;
    refuses(zip_of({m}), "method 12 is not supported");
    m = good;
    m.size = 5;
    refuses(zip_of({m}), "two different sizes");
    m = good;
    m.local_name = "n";
    refuses(zip_of({m}), "another name in its local header");
    refuses(zip_of({Member("", "1")}), "no usable name");
    refuses(zip_of({Member(std::string("a\0b", 3), "1")}), "no usable name");
    refuses(zip_of({good, Member("m", "5678")}), "appears twice");
    auto parts = test::zip_parts({good});
    const size_t entry = parts.body.size(), end = entry + parts.directory.size();
    const std::string whole = parts.whole();
    refuses(changed(whole, entry + 42, le<uint32_t>(1)), "has no local header");
    refuses(changed(whole, entry + 42, le<uint32_t>(0xfffffff0)), "lies outside");
    refuses(changed(whole, entry + 20, le<uint32_t>(1000) + le<uint32_t>(1000)), "runs past the archive");
    refuses(changed(whole, 8, le<uint16_t>(8)), "another method");
    refuses(changed(whole, 26, le<uint16_t>(0xffff)), "runs past the archive");
    refuses(changed(whole, entry + 28, le<uint16_t>(0xffff)), "directory is damaged");
    refuses(changed(whole, end + 8, le<uint16_t>(9) + le<uint16_t>(9)), "too short for its member count");
    refuses(changed(whole, end + 8, le<uint16_t>(0) + le<uint16_t>(0)), "more than its members");
    refuses(changed(whole, end + 16, le<uint32_t>(1)), "does not lie right before");
    refuses(changed(whole, end + 4, le<uint16_t>(1)), "several disks");
}

TEST_F(ZipTest, RefusesOverlap) {
    // Two names for the same bytes: the second entry points at a header inside the first member's data.
    const std::string inner = test::zip_parts({Member("b", "1234")}).body;
    auto parts = test::zip_parts({Member("a", inner)});
    auto second = test::zip_parts({Member("b", "1234")}).directory;
    second.replace(42, 4, le<uint32_t>(30 + 1));
    parts.directory += second;
    parts.count = 2;
    refuses(parts.whole(), "overlaps 'a'");
}

TEST_F(ZipTest, RefusesDamagedContent) {
    Member m("m", "1234");
    m.crc ^= 1;
    refuses_read(m, "checksum does not match");
    const std::string zeros(2000000, '\0');
    refuses_read(deflated("m", zeros), "over the limit of 1999999", 1999999);
    m = deflated("m", zeros);
    m.size = 0x7fffffff;
    refuses_read(m, "claims more bytes than its data can hold", uint64_t{1} << 40);
    m = deflated("m", zeros);
    --m.size;
    refuses_read(m, "compressed data is damaged");
    m.size += 2;
    refuses_read(m, "compressed data is damaged");
    m = deflated("m", "hello hello hello hello");
    for (size_t n = 0; n < m.packed.size(); ++n) {
        Member cut = m;
        cut.packed.resize(n);
        refuses_read(cut, n == 0 ? "" : "compressed data is damaged");
    }
    m.packed += 'x';
    refuses_read(m, "compressed data is damaged");
}

} // namespace ks::io
