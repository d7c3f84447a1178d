// SPDX-License-Identifier: Apache-2.0
// mmap of a regular file; the descriptor is closed as soon as the mapping exists.
#include "runtime/io/mapped_file.h"
#include "runtime/base/error.h"
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ks::io {

namespace {

struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

} // namespace

MappedFile::MappedFile(const std::string &path) : path_(path) {
    // Non-blocking, so that a named pipe is refused below instead of waiting for its writer.
    Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (file.fd < 0) throw Error(path, std::string("cannot open: ") + std::strerror(errno));
    struct stat info {};
    if (::fstat(file.fd, &info) != 0) throw Error(path, std::string("cannot stat: ") + std::strerror(errno));
    if (!S_ISREG(info.st_mode)) throw Error(path, "is not a regular file");
    size_ = static_cast<size_t>(info.st_size);
    if (size_ == 0) return;
    void *at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (at == MAP_FAILED) throw Error(path, std::string("cannot map: ") + std::strerror(errno));
    data_ = static_cast<const std::byte *>(at);
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : path_(std::move(other.path_)),
      data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
    if (this == &other) return *this;
    unmap();
    path_ = std::move(other.path_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    return *this;
}

MappedFile::~MappedFile() { unmap(); }

void MappedFile::unmap() noexcept {
    if (data_) ::munmap(const_cast<std::byte *>(data_), size_);
    data_ = nullptr;
}

} // namespace ks::io
