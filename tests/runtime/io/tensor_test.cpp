// SPDX-License-Identifier: Apache-2.0
// Sizes of shapes and the conversion of every element type.
#include "runtime/io/tensor.h"
#include "tests/runtime/io/files.h"
#include <limits>

namespace ks::io {

namespace {

std::vector<float> converted(DType dtype, const std::string &bytes) {
    // One byte of offset: tensors may lie at any address.
    const std::string shifted = "x" + bytes;
    Tensor t{"t", dtype, {static_cast<int64_t>(bytes.size() / size_of(dtype))}, nullptr, bytes.size()};
    t.data = reinterpret_cast<const std::byte *>(shifted.data() + 1);
    return to_f32(t);
}

} // namespace

TEST(Tensor, ConvertsEveryTypeAtAnyAddress) {
    using test::bytes_of;
    using Floats = std::vector<float>;
    EXPECT_EQ(converted(DType::f32, bytes_of<float>({1.5f, -2})), (Floats{1.5f, -2}));
    EXPECT_EQ(converted(DType::f64, bytes_of<double>({0.25, 1e300})),
              (Floats{0.25f, std::numeric_limits<float>::infinity()}));
    EXPECT_EQ(converted(DType::bf16, bytes_of<uint16_t>({0x3fc0, 0xc000})), (Floats{1.5f, -2}));
    EXPECT_EQ(converted(DType::f16, bytes_of<uint16_t>({0x3e00, 0xc000, 0x0001})),
              (Floats{1.5f, -2, 0x1p-24f}));
    EXPECT_EQ(converted(DType::i64, bytes_of<int64_t>({-5, int64_t{1} << 40})), (Floats{-5, 0x1p40f}));
    EXPECT_EQ(converted(DType::i32, bytes_of<int32_t>({-5, 7})), (Floats{-5, 7}));
    EXPECT_EQ(converted(DType::i16, bytes_of<int16_t>({-300})), (Floats{-300}));
    EXPECT_EQ(converted(DType::i8, bytes_of<int8_t>({-3})), (Floats{-3}));
    EXPECT_EQ(converted(DType::u8, bytes_of<uint8_t>({253})), (Floats{253}));
    EXPECT_EQ(converted(DType::boolean, bytes_of<uint8_t>({0, 1, 2})), (Floats{0, 1, 1}));
}

TEST(Tensor, ChecksSizes) {
    uint64_t bytes = 7;
    EXPECT_TRUE(checked_bytes({}, DType::f64, bytes));
    EXPECT_EQ(bytes, 8u);
    EXPECT_TRUE(checked_bytes({2, 3}, DType::bf16, bytes));
    EXPECT_EQ(bytes, 12u);
    EXPECT_TRUE(checked_bytes({5, 0, 3}, DType::f32, bytes));
    EXPECT_EQ(bytes, 0u);
    EXPECT_FALSE(checked_bytes({-1}, DType::u8, bytes));
    EXPECT_FALSE(checked_bytes({int64_t{1} << 62, 2}, DType::u8, bytes)); // 2^63
    EXPECT_FALSE(checked_bytes({int64_t{1} << 32, int64_t{1} << 32}, DType::u8, bytes));
    EXPECT_FALSE(checked_bytes({0, int64_t{1} << 62, 4}, DType::u8, bytes)); // its strides overflow
    EXPECT_FALSE(checked_bytes(std::vector<int64_t>(9, 1), DType::u8, bytes));
    EXPECT_EQ((Tensor{"", DType::f32, {2, 3, 4}, nullptr, 0}.elements()), 24);
    EXPECT_EQ((Tensor{"", DType::f32, {}, nullptr, 0}.elements()), 1);
    EXPECT_EQ(shape_text({2, 3}), "[2,3]");
}

} // namespace ks::io
