// SPDX-License-Identifier: Apache-2.0
// The arrays that `ks op` reads and writes.
#pragma once
#include "runtime/base/aligned.h"
#include "runtime/io/npz.h"
#include <map>
#include <string>
#include <vector>

namespace ks::cli {

using Shape = std::vector<int64_t>;

// The arrays of an npz (or one npy, under the name "logits"), as f32, with shapes checked by name.
class Inputs {
  public:
    explicit Inputs(const std::string &path);

    bool has(const std::string &name) const { return arrays_.count(name) != 0; }
    // Throws ks::Error(path, ...) when the array is missing, has another rank or no elements. `axes` names
    // them.
    const Shape &shape(const std::string &name, size_t rank, const char *axes) const;
    // Throws ks::Error(path, ...) when the array is missing, has another shape or is not of numbers with a
    // point.
    std::vector<float> floats(const std::string &name, const Shape &shape) const;
    // The same, and empty for an array that is missing.
    std::vector<float> optional(const std::string &name, const Shape &shape) const;
    std::vector<int64_t> integers(const std::string &name) const; // one dimension
    const std::string &path() const { return path_; }

  private:
    const io::Array &at(const std::string &name) const;
    std::string path_;
    std::map<std::string, io::Array> arrays_;
};

struct Result {
    std::string name;
    std::vector<float> values;
    std::vector<int32_t> integers; // instead of values
    Shape shape;
};

// Values in the storage type of an operand: f32, bf16 or f16.
class Stored {
  public:
    Stored(const std::vector<float> &values, DType type);
    void *data() const { return bytes_.data(); } // null for no values: the operand is missing
    std::vector<float> floats() const;

  private:
    DType type_;
    AlignedBytes bytes_;
};

// Offsets of the sequences in [B, L] steps: `seq_start` of the file (then B must be 1), else every row is
// one.
std::vector<int64_t> sequences_of(const Inputs &in, int64_t batch, int64_t length);
// Swaps the last two axes of [outer, rows, cols]: states are [S,D,N] in files and [S,N,D] in kernels.
std::vector<float> swap_axes(const std::vector<float> &v, int64_t outer, int64_t rows, int64_t cols);

} // namespace ks::cli
