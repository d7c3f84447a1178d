// SPDX-License-Identifier: Apache-2.0
// Operands for tests of matrix products: numbers whose products and sums are exact in f32 and which every
// storage type holds exactly, and output buffers whose surroundings are watched.
#pragma once
#include "Halide.h"
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <string>
#include <vector>

namespace ks::test {

// Multiples of 1/8 in [-2, 2].
inline std::vector<float> eighths(size_t n, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<float> v(n);
    for (float &x : v) x = static_cast<float>(static_cast<int>(engine() % 33) - 16) / 8.f;
    return v;
}

// The 16-bit patterns are put together by hand; exact for the numbers above.
inline uint16_t bits16(const std::string &type, float f) {
    uint32_t u;
    std::memcpy(&u, &f, 4);
    if (type == "bf16") return static_cast<uint16_t>(u >> 16);
    if (f == 0.f) return 0;
    int exponent = std::ilogb(f);
    uint32_t mantissa = static_cast<uint32_t>(std::ldexp(std::fabs(f), 10 - exponent)) & 0x3ffu;
    return static_cast<uint16_t>((f < 0 ? 0x8000u : 0u) | static_cast<uint32_t>(exponent + 15) << 10 |
                                 mantissa);
}

// A dense weight buffer of any storage; shape innermost first.
class Weights {
  public:
    Weights(const std::string &type, const std::vector<float> &values, const std::vector<int> &shape)
        : type_(type), f32_(values), u16_(values.size()) {
        for (size_t i = 0; i < values.size(); i++) u16_[i] = bits16(type, values[i]);
        buffer = type == "f32" ? Halide::Runtime::Buffer<>(f32_.data(), shape)
                               : Halide::Runtime::Buffer<>(u16_.data(), shape);
    }
    Halide::Runtime::Buffer<> buffer;

  private:
    std::string type_;
    std::vector<float> f32_;
    std::vector<uint16_t> u16_;
};

// Rows of `width` floats, `stride` apart, in the middle of an array of `untouched` values.
class Rows {
  public:
    static constexpr float untouched = -12345.f;

    Rows(int rows, int width, int stride)
        : rows_(rows),
          width_(width),
          stride_(stride),
          data_(static_cast<size_t>(2 * margin + (rows - 1) * stride + width), untouched) {}

    float *row(int r) { return data_.data() + margin + r * stride_; }
    Halide::Runtime::Buffer<float> matrix() {
        return Halide::Runtime::Buffer<float>(row(0), {{0, width_, 1}, {0, rows_, stride_}});
    }
    Halide::Runtime::Buffer<float> panels(int lanes) {
        return Halide::Runtime::Buffer<float>(
            row(0), {{0, lanes, 1}, {0, width_ / lanes, lanes}, {0, rows_, stride_}});
    }
    void fill(const std::vector<float> &values) {
        for (int r = 0; r < rows_; r++)
            std::copy_n(values.begin() + static_cast<long>(r) * width_, width_, row(r));
    }
    // Whether everything outside the rows still is untouched.
    bool surroundings_kept() const {
        for (size_t i = 0; i < data_.size(); i++) {
            int at = static_cast<int>(i) - margin;
            bool inside = at >= 0 && at / stride_ < rows_ && at % stride_ < width_;
            if (!inside && data_[i] != untouched) return false;
        }
        return true;
    }

  private:
    static constexpr int margin = 128;
    int rows_, width_, stride_;
    std::vector<float> data_;
};

} // namespace ks::test
