// SPDX-License-Identifier: Apache-2.0
// A whole file mapped read-only into memory for as long as the object lives.
#pragma once
#include <cstddef>
#include <string>

namespace ks::io {

// Movable, not copyable; moving keeps the address of the bytes. Any number of threads may read. The file must
// not be shortened while it is mapped: the operating system then ends the process (SIGBUS).
class MappedFile {
  public:
    // Throws ks::Error(path, cause) when the path cannot be opened, is not a regular file or cannot be
    // mapped.
    explicit MappedFile(const std::string &path);
    MappedFile(MappedFile &&other) noexcept;
    MappedFile &operator=(MappedFile &&other) noexcept;
    MappedFile(const MappedFile &) = delete;
    MappedFile &operator=(const MappedFile &) = delete;
    ~MappedFile();

    const std::byte *data() const { return data_; } // page aligned; null when the file is empty
    size_t size() const { return size_; }
    const std::string &path() const { return path_; }

  private:
    void unmap() noexcept;

    std::string path_;
    const std::byte *data_ = nullptr;
    size_t size_ = 0;
};

} // namespace ks::io
