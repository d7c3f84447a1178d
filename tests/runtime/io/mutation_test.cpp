// SPDX-License-Identifier: Apache-2.0
// Every reader of outside files against thousands of damaged copies of a valid one. What is read is also
// used: tensors that reach outside their file would be seen by the sanitizers.
#include "runtime/io/checkpoint.h"
#include "runtime/io/json_file.h"
#include "runtime/io/npy.h"
#include "runtime/io/npz.h"
#include "runtime/io/pickle.h"
#include "runtime/io/safetensors.h"
#include "runtime/io/torch_file.h"
#include "runtime/io/zip.h"
#include "tests/runtime/io/files.h"
#include "tests/runtime/io/mutations.h"

namespace ks::io {

namespace {

using test::bytes_of;
using test::Member;
using test::survives_damage;
namespace p = test::pickled;

const std::vector<float> kSix{1, 2, 3, 4, 5, 6};

class Mutation : public ::testing::Test {
  protected:
    test::MemoryFile file_;
    const std::string path_ = file_.path();
    void write(const std::string &bytes) { file_.write(bytes); }
};

void use(const std::vector<Tensor> &tensors) {
    for (const Tensor &t : tensors) EXPECT_EQ(to_f32(t).size(), static_cast<size_t>(t.elements()));
}

std::string state_dict() {
    auto view = [](int32_t offset, const std::vector<int32_t> &shape, const std::vector<int32_t> &strides) {
        return p::tensor(p::storage("FloatStorage", "0", 6), offset, shape, strides);
    };
    return p::whole(
        p::dict({{"w", view(0, {2, 3}, {3, 1})}, {"row", view(3, {3}, {1})}, {"one", view(5, {}, {})}}));
}

std::string torch_archive(const std::string &pickle) {
    return test::zip_of({Member("m/data.pkl", pickle), Member("m/byteorder", "little"),
                         Member("m/data/0", bytes_of(kSix)), Member("m/version", "3\n")});
}

} // namespace

TEST_F(Mutation, Safetensors) {
    const std::string header =
        R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,2],)"
        R"("data_offsets":[0,16]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[16,24]}})";
    survives_damage(test::safetensors_of(header, bytes_of(kSix)), 3000, path_ + ": ",
                    [&](const std::string &bytes) {
                        write(bytes);
                        MappedFile file(path_);
                        use(read_safetensors(file));
                    });
}

TEST_F(Mutation, Zip) {
    const std::string valid = test::zip_of({Member("a/data", "1234"), Member("b", std::string(300, 'z'))});
    survives_damage(valid, 3000, path_ + ": ", [&](const std::string &bytes) {
        write(bytes);
        MappedFile file(path_);
        ZipReader zip(file);
        for (const ZipMember &m : zip.members()) EXPECT_EQ(zip.read(m, 1 << 20).size(), m.size);
    });
}

TEST_F(Mutation, Pickle) {
    survives_damage(state_dict(), 5000, "a.pkl: ", [](const std::string &bytes) {
        Pickle pickle =
            parse_pickle("a.pkl", reinterpret_cast<const std::byte *>(bytes.data()), bytes.size());
        EXPECT_NE(pickle.root, nullptr);
    });
}

// The archive is right and its pickle is damaged: views and storages that do not agree.
TEST_F(Mutation, TorchFileWithADamagedPickle) {
    survives_damage(state_dict(), 3000, path_ + ": ", [&](const std::string &pickle) {
        write(torch_archive(pickle));
        MappedFile file(path_);
        use(read_torch_file(file));
    });
}

TEST_F(Mutation, TorchFile) {
    survives_damage(torch_archive(state_dict()), 3000, path_ + ": ", [&](const std::string &bytes) {
        write(bytes);
        MappedFile file(path_);
        use(read_torch_file(file));
    });
}

TEST_F(Mutation, Npy) {
    test::ScratchFolder folder;
    write_npy(folder.path("x.npy"), tensor_of("x", kSix, {2, 3}));
    survives_damage(test::read_all(folder.path("x.npy")), 3000, "x.npy: ", [](const std::string &bytes) {
        use({parse_npy("x.npy", reinterpret_cast<const std::byte *>(bytes.data()), bytes.size())});
    });
}

TEST_F(Mutation, Npz) {
    test::ScratchFolder folder;
    write_npz(folder.path("x.npz"),
              {tensor_of("x", kSix, {2, 3}), tensor_of("n", std::vector<int32_t>{7}, {})});
    survives_damage(test::read_all(folder.path("x.npz")), 3000, path_ + ": ", [&](const std::string &bytes) {
        write(bytes);
        NpzReader npz(path_);
        for (const std::string &name : npz.names()) use({npz.read(name).tensor()});
    });
}

TEST_F(Mutation, Json) {
    const std::string valid = R"({"a": [1, -2.5e3, true, null], "b": {"c": "d\u00e9\n", "e": {}}, "f": ""})";
    survives_damage(valid, 5000, "x.json: ", [](const std::string &text) {
        parse_json("x.json", text).dump(-1, ' ', true);
    });
}

TEST_F(Mutation, TokenLists) {
    survives_damage("[[1, 2, 3], [40000], []]", 2000, path_ + ": ", [&](const std::string &text) {
        write(text);
        for (const auto &list : read_token_lists(path_))
            for (int id : list) EXPECT_GE(id, 0);
    });
}

// The index decides which files are opened: none outside the folder.
TEST_F(Mutation, ShardIndex) {
    test::ScratchFolder folder;
    folder.write("config.json", R"({"hidden_size": 4})");
    folder.write("s-1.safetensors",
                 test::safetensors_of(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                      bytes_of<float>({1})));
    const std::string index = R"({"metadata":{"total_size":4},"weight_map":{"w":"s-1.safetensors"}})";
    survives_damage(index, 300, folder.path(), [&](const std::string &text) {
        folder.write("model.safetensors.index.json", text);
        Checkpoint checkpoint(folder.path());
        for (const std::string &name : checkpoint.names()) use({checkpoint.at(name)});
    });
}

} // namespace ks::io
