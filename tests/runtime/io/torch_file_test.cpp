// SPDX-License-Identifier: Apache-2.0
// Checkpoints as torch lays them out: tensors in place, and every disagreement of pickle and storages
// refused.
#include "runtime/io/torch_file.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

using test::bytes_of;
using test::Member;
using test::zip_of;
namespace p = test::pickled;

const std::string kSix = bytes_of<float>({1, 2, 3, 4, 5, 6});

class TorchFileTest : public ::testing::Test {
  protected:
    static std::string archive(const std::string &pickle, const std::string &storage = kSix) {
        return zip_of({Member("m/data.pkl", p::whole(pickle)), Member("m/byteorder", "little"),
                       Member("m/data/0", storage), Member("m/version", "3\n")});
    }
    std::vector<Tensor> read(const std::string &bytes) {
        files_.push_back(
            std::make_unique<MappedFile>(folder_.write("m" + std::to_string(files_.size()), bytes)));
        return read_torch_file(*files_.back());
    }
    void refuses(const std::string &bytes, const std::string &cause) {
        const std::string path = folder_.write("bad.bin", bytes);
        MappedFile file(path);
        test::expect_error(path + ": ", cause, [&] { read_torch_file(file); });
    }
    // A state dict of one tensor with this view of a storage of six floats.
    void refuses_view(int32_t offset, std::vector<int32_t> shape, std::vector<int32_t> strides,
                      const char *cause) {
        refuses(
            archive(p::dict({{"w", p::tensor(p::storage("FloatStorage", "0", 6), offset, shape, strides)}})),
            cause);
    }
    test::ScratchFolder folder_;
    std::vector<std::unique_ptr<MappedFile>> files_;
};

std::string view(int32_t offset, const std::vector<int32_t> &shape, const std::vector<int32_t> &strides) {
    return p::tensor(p::storage("FloatStorage", "0", 6), offset, shape, strides);
}

} // namespace

TEST_F(TorchFileTest, ReadsViewsInPlace) {
    auto tensors = read(archive(p::dict({{"w", view(0, {2, 3}, {3, 1})},
                                         {"tied", view(0, {2, 3}, {3, 1})},
                                         {"row", view(3, {3}, {1})},
                                         {"one", view(2, {1, 2, 1}, {77, 1, 5})},
                                         {"scalar", view(5, {}, {})},
                                         {"empty", view(6, {0, 3}, {9, 9})}})));
    ASSERT_EQ(tensors.size(), 6u);
    EXPECT_EQ(to_f32(tensors[0]), (std::vector<float>{1, 2, 3, 4, 5, 6}));
    EXPECT_EQ(tensors[1].data, tensors[0].data);
    EXPECT_GE(tensors[0].data, files_[0]->data());
    EXPECT_LT(tensors[0].data, files_[0]->data() + files_[0]->size());
    EXPECT_EQ(to_f32(tensors[2]), (std::vector<float>{4, 5, 6}));
    EXPECT_EQ(to_f32(tensors[3]), (std::vector<float>{3, 4}));
    EXPECT_EQ(to_f32(tensors[4]), (std::vector<float>{6}));
    EXPECT_EQ(tensors[5].bytes, 0u);
}

TEST_F(TorchFileTest, FindsTheStateDict) {
    const std::string inner = p::dict({{"w", view(0, {6}, {1})}});
    EXPECT_EQ(read(archive(p::dict({{"epoch", p::number(3)}, {"model", inner}}))).at(0).name, "w");
    EXPECT_EQ(read(archive(p::dict({{"state_dict", inner}, {"args", "]"}}))).at(0).name, "w");
    // A tensor that happens to be called "model" is a tensor of the top-level dict.
    EXPECT_EQ(read(archive(p::dict({{"model", view(0, {6}, {1})}}))).at(0).name, "model");
    EXPECT_EQ(read(archive(p::dict({}))).size(), 0u);
    refuses(archive("]"), "not a dict");
    refuses(archive(p::dict({{"epoch", p::number(3)}})), "key 'epoch' of the state dict is not a tensor");
    refuses(archive(p::dict({{"model", p::dict({{"a", inner}})}})),
            "key 'a' of the state dict is not a tensor");
    refuses(archive(p::dict({{"w", view(0, {6}, {1})}, {"w", view(0, {6}, {1})}})), "'w' appears twice");
    refuses(archive("}K\x01" + view(0, {6}, {1}) + "s"), "not text");
}

TEST_F(TorchFileTest, KnowsEveryStorage) {
    const std::vector<std::pair<std::string, DType>> all = {
        {"FloatStorage", DType::f32},   {"BFloat16Storage", DType::bf16}, {"HalfStorage", DType::f16},
        {"DoubleStorage", DType::f64},  {"LongStorage", DType::i64},      {"IntStorage", DType::i32},
        {"ShortStorage", DType::i16},   {"CharStorage", DType::i8},       {"ByteStorage", DType::u8},
        {"BoolStorage", DType::boolean}};
    for (const auto &[name, dtype] : all) {
        const std::string pickle = p::dict({{"w", p::tensor(p::storage(name, "0", 3), 0, {3}, {1})}});
        EXPECT_EQ(read(archive(pickle, std::string(3 * size_of(dtype), '\1'))).at(0).dtype, dtype);
        refuses(archive(pickle, std::string(3 * size_of(dtype) + 1, '\1')), "its storage has");
    }
}

TEST_F(TorchFileTest, RefusesViewsThatDoNotFit) {
    refuses_view(0, {3, 2}, {1, 3}, "is not contiguous (shape [3,2], strides [1,3])");
    refuses_view(0, {2, 2}, {3, 1}, "is not contiguous");
    refuses_view(0, {3}, {0}, "is not contiguous");
    refuses_view(1, {2, 3}, {3, 1}, "runs past its storage of 6 elements");
    refuses_view(6, {1}, {1}, "runs past its storage");
    refuses_view(7, {0}, {1}, "runs past its storage");
    refuses_view(0x7fffffff, {1}, {1}, "runs past its storage");
    refuses_view(0, {7}, {1}, "runs past its storage");
    refuses_view(0, {0x7fffffff, 0x7fffffff, 0x7fffffff}, {1, 1, 1}, "is too large");
    refuses_view(0, std::vector<int32_t>(9, 1), std::vector<int32_t>(9, 1), "9 dimensions");
    const std::string huge = "\x8a\x08" + test::le<int64_t>(INT64_MAX);
    refuses(archive(p::dict({{"w", p::global("torch._utils", "_rebuild_tensor_v2") +
                                       p::tuple({p::storage("FloatStorage", "0", 6), huge, p::numbers({1}),
                                                 p::numbers({1}), "\x89", p::ordered_dict()}) +
                                       "R"}})),
            "runs past its storage");
}

TEST_F(TorchFileTest, RefusesStoragesThatLie) {
    refuses(archive(p::dict({{"w", view(0, {6}, {1})}}), kSix + "more"), "its storage has 28 bytes, not 6");
    refuses(archive(p::dict({{"w", view(0, {6}, {1})}}), ""), "its storage has 0 bytes");
    refuses(archive(p::dict({{"w", p::tensor(p::storage("FloatStorage", "../x", 6), 0, {6}, {1})}})),
            "its storage '../x' is missing");
    Member storage("m/data/0", kSix);
    storage.method = 8;
    refuses(zip_of({Member("m/data.pkl", p::whole(p::dict({{"w", view(0, {6}, {1})}}))), storage}),
            "is compressed");
}

TEST_F(TorchFileTest, RefusesOtherFiles) {
    refuses("", "not a torch checkpoint");
    refuses("hello, this is text", "not a torch checkpoint");
    const std::string old = test::from_hex("80028a0a6cfc9c46f9206aa850192e80024de9032e");
    refuses(old, "old torch format: load and save it again with torch 1.6 or later");
    refuses(zip_of({Member("m/x", "1")}), "no data.pkl");
    refuses(zip_of({Member("m/n/data.pkl", "1")}), "no data.pkl");
    refuses(zip_of({Member("a/data.pkl", "1"), Member("b/data.pkl", "1")}), "two torch checkpoints");
    refuses(zip_of({Member("m/data.pkl", p::whole("}")), Member("m/byteorder", "big")}), "not little-endian");
    refuses(archive(p::global("os", "system") + "(" + p::text("true") + "tR"), "'os.system' is not allowed");
    Member damaged("m/data.pkl", p::whole("}"));
    damaged.crc ^= 1;
    refuses(zip_of({damaged}), "checksum");
}

TEST_F(TorchFileTest, RefusesEveryPrefix) {
    const std::string whole = archive(p::dict({{"w", view(0, {6}, {1})}}));
    for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
}

} // namespace ks::io
