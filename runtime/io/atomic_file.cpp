// SPDX-License-Identifier: Apache-2.0
// A part file in the same folder (rename does not cross file systems), named so that writers do not meet.
#include "runtime/io/atomic_file.h"
#include "runtime/base/error.h"
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ks::io {

AtomicFile::AtomicFile(const std::string &path) : path_(path) {
    static std::atomic<unsigned> counter{0};
    do {
        part_ = path + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".part";
        fd_ = ::open(part_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (fd_ < 0 && errno == EEXIST);
    if (fd_ < 0) fail("create");
}

AtomicFile::~AtomicFile() {
    if (fd_ < 0) return;
    ::close(fd_);
    ::unlink(part_.c_str());
}

void AtomicFile::write(const void *data, size_t count) {
    const char *at = static_cast<const char *>(data);
    while (count > 0) {
        ssize_t done = ::write(fd_, at, count);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) fail("write");
        at += done;
        count -= static_cast<size_t>(done);
    }
}

void AtomicFile::commit() {
    if (::fsync(fd_) != 0) fail("write");
    if (std::rename(part_.c_str(), path_.c_str()) != 0) fail("rename into place");
    ::close(fd_);
    fd_ = -1;
}

void AtomicFile::fail(const char *action) const {
    throw Error(path_, std::string("cannot ") + action + ": " + std::strerror(errno));
}

} // namespace ks::io
