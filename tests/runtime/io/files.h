// SPDX-License-Identifier: Apache-2.0
// For the reader tests: a scratch folder, byte builders for each format, and the check that an error is a
// good one.
#pragma once
#include "runtime/base/error.h"
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

namespace ks::test {

class ScratchFolder {
  public:
    ScratchFolder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "ks-io-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp");
        path_ = pattern;
    }
    ~ScratchFolder() { std::filesystem::remove_all(path_); }
    ScratchFolder(const ScratchFolder &) = delete;
    ScratchFolder &operator=(const ScratchFolder &) = delete;

    const std::string &path() const { return path_; }
    std::string path(const std::string &name) const { return path_ + "/" + name; }
    std::string write(const std::string &name, const std::string &bytes) const {
        std::ofstream(path(name), std::ios::binary)
            .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        return path(name);
    }

  private:
    std::string path_;
};

inline std::string read_all(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// The action must throw one line that begins with `file` and contains `cause`.
inline void expect_error(const std::string &file, const std::string &cause,
                         const std::function<void()> &action) {
    try {
        action();
    } catch (const Error &error) {
        const std::string line = error.what();
        EXPECT_EQ(line.rfind(file, 0), 0u) << line;
        EXPECT_NE(line.find(cause), std::string::npos) << "expected '" << cause << "' in: " << line;
        EXPECT_EQ(line.find('\n'), std::string::npos) << line;
        EXPECT_LT(line.size(), 600u) << line;
        return;
    }
    ADD_FAILURE() << file << ": no error, expected: " << cause;
}

template <typename T>
std::string le(T value) {
    std::string out(sizeof(T), '\0');
    std::memcpy(out.data(), &value, sizeof(T));
    return out;
}
template <typename T>
std::string bytes_of(const std::vector<T> &values) {
    std::string out;
    for (T v : values) out += le(v);
    return out;
}
inline std::string from_hex(const std::string &hex) {
    std::string out;
    for (size_t i = 0; i + 1 < hex.size(); i += 2)
        out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    return out;
}

inline std::string safetensors_of(const std::string &header, const std::string &data) {
    return le<uint64_t>(header.size()) + header + data;
}

inline uint32_t slow_crc(const std::string &bytes) {
    uint32_t crc = ~0u;
    for (char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >> 1) ^ 0xedb88320u : crc >> 1;
    }
    return ~crc;
}

// A member as its directory entry and local header state it; a test may make any field lie.
struct Member {
    std::string name, packed;
    uint16_t method = 0, flags = 0;
    uint32_t crc, size;
    std::string local_name;
    std::string local_extra;

    Member(const std::string &name_, const std::string &content)
        : name(name_),
          packed(content),
          crc(slow_crc(content)),
          size(static_cast<uint32_t>(content.size())),
          local_name(name_) {}
};

struct ZipParts {
    std::string body, directory;
    uint16_t count = 0;
    std::string whole() const {
        return body + directory + le<uint32_t>(0x06054b50) + le<uint32_t>(0) + le(count) + le(count) +
               le(static_cast<uint32_t>(directory.size())) + le(static_cast<uint32_t>(body.size())) +
               le<uint16_t>(0);
    }
};

inline ZipParts zip_parts(const std::vector<Member> &members) {
    ZipParts out;
    for (const Member &m : members) {
        const auto packed = static_cast<uint32_t>(m.packed.size());
        const std::string shared =
            le(m.flags) + le(m.method) + le<uint32_t>(0) + le(m.crc) + le(packed) + le(m.size);
        const auto offset = static_cast<uint32_t>(out.body.size());
        out.body += le<uint32_t>(0x04034b50) + le<uint16_t>(20) + shared +
                    le(static_cast<uint16_t>(m.local_name.size())) +
                    le(static_cast<uint16_t>(m.local_extra.size())) + m.local_name + m.local_extra + m.packed;
        out.directory += le<uint32_t>(0x02014b50) + le<uint16_t>(20) + le<uint16_t>(20) + shared +
                         le(static_cast<uint16_t>(m.name.size())) + le<uint16_t>(0) + le<uint16_t>(0) +
                         le<uint16_t>(0) + le<uint16_t>(0) + le<uint32_t>(0) + le(offset) + m.name;
        ++out.count;
    }
    return out;
}
inline std::string zip_of(const std::vector<Member> &members) { return zip_parts(members).whole(); }

// Opcodes of a pickle, protocol 2, as text.
namespace pickled {
inline std::string text(const std::string &s) { return "X" + le(static_cast<uint32_t>(s.size())) + s; }
inline std::string number(int32_t n) { return "J" + le(n); }
inline std::string global(const std::string &module, const std::string &name) {
    return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::string> &items) {
    std::string out = "(";
    for (const auto &item : items) out += item;
    return out + "t";
}
inline std::string numbers(const std::vector<int32_t> &values) {
    std::string out = "(";
    for (int32_t v : values) out += number(v);
    return out + "t";
}
inline std::string storage(const std::string &type, const std::string &key, int32_t elements) {
    return tuple({text("storage"), global("torch", type), text(key), text("cpu"), number(elements)}) + "Q";
}
inline std::string ordered_dict() { return global("collections", "OrderedDict") + ")R"; }
inline std::string tensor(const std::string &storage, int32_t offset, const std::vector<int32_t> &shape,
                          const std::vector<int32_t> &strides) {
    return global("torch._utils", "_rebuild_tensor_v2") +
           tuple({storage, number(offset), numbers(shape), numbers(strides), "\x89", ordered_dict()}) + "R";
}
inline std::string dict(const std::vector<std::pair<std::string, std::string>> &items) {
    std::string out = "}(";
    for (const auto &[key, value] : items) out += text(key) + value;
    return out + "u";
}
inline std::string whole(const std::string &body) { return "\x80\x02" + body + "."; }
} // namespace pickled

} // namespace ks::test
