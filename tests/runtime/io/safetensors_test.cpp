// SPDX-License-Identifier: Apache-2.0
// A good safetensors file, every prefix of it, and files that lie in one place each.
#include "runtime/io/safetensors.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

using test::bytes_of;
using test::safetensors_of;

const char *kHeader =
    R"({"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]},)"
    R"("e":{"dtype":"U8","shape":[0,4],"data_offsets":[24,24]},)"
    R"("a":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}   )";

std::string good_data() { return bytes_of<float>({1, 2, 3, 4, 5, 6}) + bytes_of<uint16_t>({0x3f80, 0x4000}); }

class SafetensorsTest : public ::testing::Test {
  protected:
    void refuses(const std::string &bytes, const std::string &cause) {
        const std::string path = folder_.write("x.safetensors", bytes);
        MappedFile file(path);
        test::expect_error(path + ": ", cause, [&] { read_safetensors(file); });
    }
    // One tensor of four bytes whose entry is `entry`.
    void refuses_entry(const std::string &entry, const std::string &cause) {
        SCOPED_TRACE(entry);
        refuses(safetensors_of("{\"t\":" + entry + "}", "1234"), cause);
    }
    test::ScratchFolder folder_;
};

} // namespace

TEST_F(SafetensorsTest, ReadsTensorsInPlace) {
    MappedFile file(folder_.write("x.safetensors", safetensors_of(kHeader, good_data())));
    auto tensors = read_safetensors(file);
    ASSERT_EQ(tensors.size(), 3u);
    EXPECT_EQ(tensors[0].name, "a");
    EXPECT_EQ(tensors[0].shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(to_f32(tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(tensors[0].data, file.data() + file.size() - 28);
    EXPECT_EQ(tensors[1].name, "e");
    EXPECT_EQ(tensors[1].bytes, 0u);
    EXPECT_EQ(tensors[2].dtype, DType::bf16);
    EXPECT_EQ(to_f32(tensors[2]), (std::vector<float>{1, 2}));
}

TEST_F(SafetensorsTest, KnowsEveryDtype) {
    const std::vector<std::pair<std::string, DType>> all = {
        {"F32", DType::f32}, {"BF16", DType::bf16},   {"F16", DType::f16}, {"F64", DType::f64},
        {"I64", DType::i64}, {"I32", DType::i32},     {"I16", DType::i16}, {"I8", DType::i8},
        {"U8", DType::u8},   {"BOOL", DType::boolean}};
    for (const auto &[name, dtype] : all) {
        const std::string size = std::to_string(size_of(dtype));
        MappedFile file(
            folder_.write(name, safetensors_of("{\"t\":{\"dtype\":\"" + name +
                                                   "\",\"shape\":[],\"data_offsets\":[0," + size + "]}}",
                                               std::string(size_of(dtype), '\0'))));
        EXPECT_EQ(read_safetensors(file).at(0).dtype, dtype);
    }
}

TEST_F(SafetensorsTest, RefusesEveryPrefix) {
    const std::string whole = safetensors_of(kHeader, good_data());
    for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
    refuses(whole + "x", "1 bytes at the end belong to no tensor");
}

TEST_F(SafetensorsTest, RefusesBadHeaders) {
    refuses(test::le<uint64_t>(~0ull) + "{}", "over the limit of 32 MiB");
    refuses(test::le<uint64_t>((32 << 20) + 1) + "{}", "over the limit of 32 MiB");
    refuses(test::le<uint64_t>(32 << 20) + "{}", "runs past the end");
    refuses(test::le<uint64_t>(0) + "{}", "must begin with '{'");
    refuses(safetensors_of(" {}", ""), "must begin with '{'");
    refuses(safetensors_of("[]", ""), "must begin with '{'");
    refuses(safetensors_of("{\"a\":1", ""), "not valid JSON");
    refuses(safetensors_of("{}x", ""), "not valid JSON");
    refuses(safetensors_of("{\"__metadata__\":{\"a\":1}}", ""), "not a string");
    refuses(safetensors_of("{\"__metadata__\":[]}", ""), "not an object");
    refuses(safetensors_of("{\"a\":" + std::string(100000, '['), ""), "deeper than 3");
    const std::string entry = R"({"dtype":"U8","shape":[4],"data_offsets":[0,4]})";
    refuses(safetensors_of("{\"t\":" + entry + ",\"t\":" + entry + "}", "1234"), "'t' appears twice");
}

TEST_F(SafetensorsTest, RefusesLyingEntries) {
    refuses_entry("3", "needs exactly");
    refuses_entry(R"({"dtype":"U8","shape":[4]})", "needs exactly");
    refuses_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4],"code":1})", "needs exactly");
    refuses_entry(R"({"dtype":"F8_E4M3","shape":[4],"data_offsets":[0,4]})",
                  "dtype 'F8_E4M3' is not supported");
    refuses_entry(R"({"dtype":7,"shape":[4],"data_offsets":[0,4]})", "has no dtype");
    refuses_entry(R"({"dtype":"U8","shape":4,"data_offsets":[0,4]})", "shape is not a list");
    refuses_entry(R"({"dtype":"U8","shape":[4.0],"data_offsets":[0,4]})", "shape holds");
    refuses_entry(R"({"dtype":"U8","shape":[-4],"data_offsets":[0,4]})", "shape holds");
    refuses_entry(R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,4]})", "shape holds");
    refuses_entry(R"({"dtype":"F32","shape":[4],"data_offsets":[0,4]})", "does not take the 4 bytes");
    refuses_entry(R"({"dtype":"U8","shape":[4294967296,4294967297],"data_offsets":[0,4]})",
                  "does not take the 4");
    refuses_entry(R"({"dtype":"F32","shape":[4611686018427387905],"data_offsets":[0,4]})",
                  "does not take the 4");
    refuses_entry(R"({"dtype":"U8","shape":[1,1,1,1,1,1,1,1,4],"data_offsets":[0,4]})", "9 dimensions");
    refuses_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[0,4,8]})", "not [begin, end]");
    refuses_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[4,0]})", "not [begin, end]");
    refuses_entry(R"({"dtype":"U8","shape":[5],"data_offsets":[0,5]})", "ends at byte 5 of a buffer of 4");
    refuses_entry(R"({"dtype":"U8","shape":[4],"data_offsets":[9223372036854775803,9223372036854775807]})",
                  "buffer");
    refuses_entry(R"({"dtype":"U8","shape":[3],"data_offsets":[1,4]})", "a hole");
    refuses_entry(R"({"dtype":"U8","shape":[3],"data_offsets":[0,3]})", "belong to no tensor");
}

TEST_F(SafetensorsTest, RefusesOverlapAndHoles) {
    auto two = [](const std::string &a, const std::string &b) {
        return safetensors_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
                                  R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}",
                              "12345");
    };
    refuses(two("[0,2]", "[1,3]"), "overlaps");
    refuses(two("[0,2]", "[0,2]"), "overlaps");
    refuses(two("[0,2]", "[3,5]"), "a hole");
}

} // namespace ks::io
