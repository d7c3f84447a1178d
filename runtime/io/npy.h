// SPDX-License-Identifier: Apache-2.0
// NumPy arrays: the .npy format, read and written, little-endian and in C order.
#pragma once
#include "runtime/io/tensor.h"
#include <string>
#include <vector>

namespace ks::io {

// An array that owns its bytes.
struct Array {
    DType dtype = DType::f32;
    std::vector<int64_t> shape;
    std::vector<std::byte> data;

    // A view that borrows from this array.
    Tensor tensor(const std::string &name = "") const {
        return {name, dtype, shape, data.data(), data.size()};
    }
};

// A view of a vector, borrowing from it. Throws ks::Error when the shape does not have values.size()
// elements.
Tensor tensor_of(const std::string &name, const std::vector<float> &values, std::vector<int64_t> shape);
Tensor tensor_of(const std::string &name, const std::vector<double> &values, std::vector<int64_t> shape);
Tensor tensor_of(const std::string &name, const std::vector<int32_t> &values, std::vector<int64_t> shape);
Tensor tensor_of(const std::string &name, const std::vector<int64_t> &values, std::vector<int64_t> shape);

// Types f2 f4 f8 i1 i2 i4 i8 u1 b1. Throws ks::Error(path, cause): other types, big-endian or Fortran-ordered
// arrays, pickled objects and a size that the shape does not explain are refused.
Array read_npy(const std::string &path);

// Writes through a temporary file that is renamed into place. bf16, which NumPy lacks, is refused.
void write_npy(const std::string &path, const Tensor &tensor);

// The same for bytes in memory (npz members). `source` begins the errors; parse_npy borrows from `data`.
Tensor parse_npy(const std::string &source, const std::byte *data, size_t size);
std::string npy_header(const std::string &source, const Tensor &tensor);

} // namespace ks::io
