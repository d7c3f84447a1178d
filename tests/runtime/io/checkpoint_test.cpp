// SPDX-License-Identifier: Apache-2.0
// Every layout of a model folder, and folders whose parts do not agree.
#include "runtime/io/checkpoint.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

using test::bytes_of;
namespace p = test::pickled;

// A file with one float tensor of one element.
std::string safetensors(const std::string &name, float value) {
    return test::safetensors_of("{\"" + name + R"(":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                bytes_of<float>({value}));
}
std::string torch(const std::string &name, float value) {
    const std::string tensor = p::tensor(p::storage("FloatStorage", "0", 1), 0, {1}, {1});
    return test::zip_of({test::Member("m/data.pkl", p::whole(p::dict({{name, tensor}}))),
                         test::Member("m/data/0", bytes_of<float>({value}))});
}
float value_of(const Checkpoint &checkpoint, const std::string &name) {
    return to_f32(checkpoint.at(name)).at(0);
}

class CheckpointTest : public ::testing::Test {
  protected:
    CheckpointTest() { folder_.write("config.json", R"({"hidden_size": 4})"); }
    void refuses(const std::string &file, const std::string &cause) {
        test::expect_error(file + ": ", cause, [&] { Checkpoint checkpoint(folder_.path()); });
    }
    test::ScratchFolder folder_;
};

} // namespace

TEST_F(CheckpointTest, ReadsOneSafetensorsFileFirst) {
    folder_.write("model.safetensors", safetensors("w", 1));
    folder_.write("pytorch_model.bin", torch("w", 2));
    Checkpoint opened(folder_.path());
    Checkpoint checkpoint(std::move(opened));
    EXPECT_EQ(value_of(checkpoint, "w"), 1);
    EXPECT_EQ(checkpoint.find("v"), nullptr);
    EXPECT_EQ(checkpoint.config()["hidden_size"], 4);
    EXPECT_EQ(checkpoint.config_path(), folder_.path("config.json"));
    test::expect_error(folder_.path() + ": ", "has no tensor 'v'", [&] { checkpoint.at("v"); });
}

TEST_F(CheckpointTest, ReadsATorchFile) {
    folder_.write("pytorch_model.bin", torch("w", 2));
    EXPECT_EQ(value_of(Checkpoint(folder_.path()), "w"), 2);
}

TEST_F(CheckpointTest, ReadsShards) {
    folder_.write(
        "model.safetensors.index.json",
        R"({"metadata": {"total_size": 8}, "weight_map": {"b": "s2.safetensors", "a": "s1.safetensors"}})");
    folder_.write("s1.safetensors", safetensors("a", 1));
    folder_.write("s2.safetensors", safetensors("b", 2));
    Checkpoint checkpoint(folder_.path());
    EXPECT_EQ(checkpoint.names(), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(value_of(checkpoint, "a"), 1);
    EXPECT_EQ(value_of(checkpoint, "b"), 2);
}

TEST_F(CheckpointTest, ReadsTorchShards) {
    folder_.write("pytorch_model.bin.index.json", R"({"weight_map": {"a": "1.bin", "b": "2.bin"}})");
    folder_.write("1.bin", torch("a", 1));
    folder_.write("2.bin", torch("b", 2));
    EXPECT_EQ(value_of(Checkpoint(folder_.path()), "b"), 2);
}

TEST_F(CheckpointTest, StorageIsThatOfTheLargestTensor) {
    // "small" is first by name and has more elements; "wide" has more bytes in every type.
    auto storage = [&](const std::string &type, size_t bytes) {
        folder_.write("model.safetensors",
                      test::safetensors_of(R"({"small":{"dtype":"I8","shape":[5],"data_offsets":[0,5]},)"
                                           R"("wide":{"dtype":")" +
                                               type + R"(","shape":[4],"data_offsets":[5,)" +
                                               std::to_string(5 + 4 * bytes) + "]}}",
                                           std::string(5 + 4 * bytes, '\0')));
        return Checkpoint(folder_.path()).storage();
    };
    EXPECT_EQ(storage("BF16", 2), DType::bf16);
    EXPECT_EQ(storage("F16", 2), DType::f16);
    EXPECT_EQ(storage("F32", 4), DType::f32);
    EXPECT_EQ(storage("F64", 8), DType::f32);
    EXPECT_EQ(storage("I32", 4), DType::f32);
    folder_.write("model.safetensors", test::safetensors_of("{}", ""));
    test::expect_error(folder_.path() + ": ", "has no tensors",
                       [&] { Checkpoint(folder_.path()).storage(); });
}

TEST_F(CheckpointTest, FingerprintsTellCheckpointsApart) {
    auto fingerprint = [&](const std::string &config, const std::string &name, float value) {
        folder_.write("config.json", config);
        folder_.write("model.safetensors", safetensors(name, value));
        return Checkpoint(folder_.path()).fingerprint();
    };
    const uint64_t plain = fingerprint("{}", "w", 1);
    EXPECT_EQ(fingerprint("{ }", "w", 1), plain);
    EXPECT_NE(fingerprint(R"({"a": 1})", "w", 1), plain);
    EXPECT_NE(fingerprint("{}", "v", 1), plain);
    EXPECT_NE(fingerprint("{}", "w", 2), plain);
}

TEST_F(CheckpointTest, RefusesShardsOutsideTheFolder) {
    const std::string index = folder_.path("model.safetensors.index.json");
    for (const char *name :
         {"../s.safetensors", "/etc/passwd", "a/b", "..", ".", "", "a\\\\b", "a\\u0000b"}) {
        SCOPED_TRACE(name);
        folder_.write("model.safetensors.index.json",
                      std::string(R"({"weight_map": {"a": ")") + name + "\"}}");
        refuses(index, "is not a plain name in the folder");
    }
}

TEST_F(CheckpointTest, RefusesBadIndexes) {
    const std::string index = folder_.path("model.safetensors.index.json");
    auto with = [&](const std::string &text) { folder_.write("model.safetensors.index.json", text); };
    with("[]");
    refuses(index, "no weight_map");
    with("{\"weight_map\": []}");
    refuses(index, "no weight_map");
    with("{\"weight_map\": {\"a\": 1}}");
    refuses(index, "is not text");
    with("{\"weight_map\": {\"a\": \"s\", \"a\": \"t\"}}");
    refuses(index, "'a' appears twice");
    with("{\"weight_map\": {\"a\": \"s\"}}");
    refuses(folder_.path("s"), "cannot open");
    folder_.write("s", safetensors("b", 1));
    refuses(folder_.path("s"), "lacks 'a'");
}

TEST_F(CheckpointTest, RefusesIncompleteFolders) {
    refuses(folder_.path(), "holds neither model.safetensors nor pytorch_model.bin");
    folder_.write("model.safetensors", "damaged");
    refuses(folder_.path("model.safetensors"), "too short");
    folder_.write("config.json", "[1]");
    refuses(folder_.path("config.json"), "is not a JSON object");
    std::filesystem::remove(folder_.path("config.json"));
    refuses(folder_.path("config.json"), "cannot open");
    const std::string absent = folder_.path("absent");
    test::expect_error(absent + ": ", "is not a folder", [&] { Checkpoint checkpoint(absent); });
}

} // namespace ks::io
