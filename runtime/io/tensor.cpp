// SPDX-License-Identifier: Apache-2.0
// Sizes of shapes and the conversion of any element type to float.
#include "runtime/io/tensor.h"
#include "runtime/io/bytes.h"
#include <limits>

namespace ks::io {

namespace {

// `value_of` turns one stored element of type T into a float.
template <typename T, typename Fn>
std::vector<float> convert(const Tensor &tensor, Fn value_of) {
    std::vector<float> out(tensor.bytes / sizeof(T));
    for (size_t i = 0; i < out.size(); ++i) out[i] = value_of(load_le<T>(tensor.data + i * sizeof(T)));
    return out;
}

template <typename T>
std::vector<float> cast(const Tensor &tensor) {
    return convert<T>(tensor, [](T v) { return static_cast<float>(v); });
}

} // namespace

int64_t Tensor::elements() const {
    int64_t n = 1;
    for (int64_t d : shape) n *= d;
    return n;
}

bool checked_bytes(const std::vector<int64_t> &shape, DType dtype, uint64_t &bytes) {
    if (shape.size() > kMaxRank) return false;
    // Zeros are left out of the product, so that the strides of an empty tensor cannot overflow either.
    uint64_t n = size_of(dtype);
    bool empty = false;
    for (int64_t d : shape) {
        if (d < 0) return false;
        if (d == 0)
            empty = true;
        else if (!checked_mul(n, static_cast<uint64_t>(d), n))
            return false;
    }
    if (n > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return false;
    bytes = empty ? 0 : n;
    return true;
}

std::string shape_text(const std::vector<int64_t> &shape) {
    std::string out = "[";
    for (size_t i = 0; i < shape.size(); ++i) out += (i ? "," : "") + std::to_string(shape[i]);
    return out + "]";
}

std::vector<float> to_f32(const Tensor &tensor) {
    switch (tensor.dtype) {
    case DType::f32:
        return cast<float>(tensor);
    case DType::bf16:
        return convert<uint16_t>(tensor, of_bf16);
    case DType::f16:
        return convert<uint16_t>(tensor, of_f16);
    case DType::f64:
        return cast<double>(tensor);
    case DType::i64:
        return cast<int64_t>(tensor);
    case DType::i32:
        return cast<int32_t>(tensor);
    case DType::i16:
        return cast<int16_t>(tensor);
    case DType::i8:
        return cast<int8_t>(tensor);
    case DType::u8:
        return cast<uint8_t>(tensor);
    case DType::boolean:
        return convert<uint8_t>(tensor, [](uint8_t v) { return v ? 1.0f : 0.0f; });
    }
    return {};
}

} // namespace ks::io
