// SPDX-License-Identifier: Apache-2.0
// Valid files damaged at random, always in the same way: a reader gives an error of one line or an object
// that can be used, whatever it is fed. A failure names the case; `damaged(valid, case)` makes its bytes
// again.
#pragma once
#include "runtime/base/error.h"
#include <algorithm>
#include <functional>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

namespace ks::test {

// A file in memory: thousands of them take no time, whatever the disk does.
class MemoryFile {
  public:
    MemoryFile() : file_(memfd_create("ks", 0)), path_("/proc/self/fd/" + std::to_string(file_)) {
        if (file_ < 0) throw std::runtime_error("memfd_create");
    }
    ~MemoryFile() { close(file_); }
    MemoryFile(const MemoryFile &) = delete;
    MemoryFile &operator=(const MemoryFile &) = delete;

    const std::string &path() const { return path_; }
    void write(const std::string &bytes) {
        auto size = static_cast<ssize_t>(bytes.size());
        if (ftruncate(file_, size) || pwrite(file_, bytes.data(), bytes.size(), 0) != size)
            throw std::runtime_error("memory file");
    }

  private:
    int file_;
    std::string path_;
};

inline std::string damaged(const std::string &valid, unsigned number) {
    std::mt19937 engine(number);
    auto below = [&](size_t n) { return n ? engine() % n : 0; };
    std::string bytes = valid;
    for (size_t rounds = 1 + below(3); rounds > 0 && !bytes.empty(); rounds--) {
        size_t at = below(bytes.size()), length = 1 + below(std::min<size_t>(64, bytes.size() - at));
        std::string chunk = bytes.substr(at, length);
        switch (below(7)) {
        case 0:
            bytes[at] = static_cast<char>(bytes[at] ^ 1 << below(8));
            break;
        case 1:
            bytes[at] = "\0\x01\x7f\x80\xff"[below(5)];
            break; // where lengths and signs turn over
        case 2:
            bytes.resize(at);
            break;
        case 3:
            bytes.insert(at, chunk);
            break;
        case 4:
            bytes.erase(at, length);
            break;
        case 5:
            bytes.replace(below(bytes.size() - length + 1), length, chunk);
            break;
        case 6:
            bytes.insert(at, std::string(1 + below(4), "0918-\"{["[below(8)]));
            break; // of text formats
        }
    }
    return bytes;
}

// Calls `read` with `cases` damaged copies of `valid`; it must return or throw ks::Error, whose line begins
// with `source`. Some of both must happen: else the damage shows nothing.
inline void survives_damage(const std::string &valid, unsigned cases, const std::string &source,
                            const std::function<void(const std::string &)> &read) {
    ASSERT_NO_THROW(read(valid));
    unsigned errors = 0;
    for (unsigned i = 0; i < cases; i++) {
        SCOPED_TRACE("case " + std::to_string(i));
        try {
            read(damaged(valid, i));
        } catch (const Error &e) {
            const std::string line = e.what();
            EXPECT_EQ(line.rfind(source, 0), 0u) << line;
            EXPECT_EQ(line.find('\n'), std::string::npos) << line;
            errors++;
        } catch (const std::exception &e) {
            ADD_FAILURE() << "not a ks::Error: " << e.what();
        }
    }
    EXPECT_GT(errors, cases / 4);
    EXPECT_LT(errors, cases);
}

} // namespace ks::test
