// SPDX-License-Identifier: Apache-2.0
// NumPy's .npz: named arrays in one zip archive, read (stored or deflated) and written (stored).
#pragma once
#include "runtime/io/npy.h"
#include "runtime/io/zip.h"
#include <string>
#include <vector>

namespace ks::io {

class NpzReader {
  public:
    // An array of more than `limit` bytes is refused. Throws ks::Error(path, cause), as does read().
    explicit NpzReader(const std::string &path, uint64_t limit = uint64_t{4} << 30);
    NpzReader(NpzReader &&) = delete; // zip_ refers to file_

    std::vector<std::string> names() const; // without ".npy", in file order
    bool has(const std::string &name) const { return zip_.find(name + ".npy") != nullptr; }
    Array read(const std::string &name) const; // throws when absent; checksum verified

  private:
    MappedFile file_; // before zip_, which borrows from it
    ZipReader zip_;
    uint64_t limit_;
};

// Writes the tensors under their names through a temporary file renamed into place. Names must be distinct
// and not empty. Throws ks::Error(path, cause).
void write_npz(const std::string &path, const std::vector<Tensor> &tensors);

} // namespace ks::io
