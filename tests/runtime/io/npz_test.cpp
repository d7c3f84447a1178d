// SPDX-License-Identifier: Apache-2.0
// .npz: an archive of NumPy's, round trips through the writer, and archives that are not right.
#include "runtime/io/npz.h"
#include "runtime/io/zip_writer.h"
#include "tests/runtime/io/files.h"

namespace ks::io {

namespace {

// numpy.savez_compressed of ids = arange(6) as int64 [2, 3] and h = [1.5, -2] as float16.
const char *kNumpy =
    "504b03042d000000080000002100599bda7dffffffffffffffff070014006964732e6e707901001000b00000000000000056"
    "000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a1277"
    "4bcc294e058a17672416a402f91a463a0ac69a3a0ab50a64032e06286084d24c509a194ab3406956280d00504b03042d0000"
    "00080000002100b3c1820cffffffffffffffff05001400682e6e707901001000840000000000000048000000000000009bec"
    "17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a4aea3a09e965f54529498179f5f94920a12774bcc294e058a176724"
    "16a402f91a463a9a3a0ab50a14002e063b860300504b01022d032d000000080000002100599bda7d56000000b00000000700"
    "000000000000000000008001000000006964732e6e7079504b01022d032d000000080000002100b3c1820c48000000840000"
    "0005000000000000000000000080018f000000682e6e7079504b05060000000002000200680000000e0100000000";

} // namespace

TEST(Npz, ReadsWhatNumpyWrites) {
    test::ScratchFolder folder;
    NpzReader npz(folder.write("x.npz", test::from_hex(kNumpy)));
    EXPECT_EQ(npz.names(), (std::vector<std::string>{"ids", "h"}));
    EXPECT_TRUE(npz.has("h"));
    EXPECT_FALSE(npz.has("g"));
    Array ids = npz.read("ids");
    EXPECT_EQ(ids.dtype, DType::i64);
    EXPECT_EQ(ids.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(to_f32(ids.tensor()), (std::vector<float>{0, 1, 2, 3, 4, 5}));
    EXPECT_EQ(to_f32(npz.read("h").tensor()), (std::vector<float>{1.5f, -2}));
    test::expect_error(folder.path("x.npz") + ": ", "has no array 'g'", [&] { npz.read("g"); });
}

TEST(Npz, RoundTripsWholeOrNotAtAll) {
    test::ScratchFolder folder;
    const std::string path = folder.path("y.npz");
    const std::vector<float> f{1, 2, 3, 4};
    const std::vector<int32_t> i{7};
    write_npz(path, {tensor_of("logits", f, {2, 2}), tensor_of("n", i, {}),
                     tensor_of("e", std::vector<double>{}, {0})});
    {
        NpzReader npz(path);
        EXPECT_EQ(npz.names(), (std::vector<std::string>{"logits", "n", "e"}));
        EXPECT_EQ(to_f32(npz.read("logits").tensor()), f);
        EXPECT_EQ(npz.read("n").shape, std::vector<int64_t>{});
        EXPECT_EQ(npz.read("e").data.size(), 0u);
    }
    const std::string before = test::read_all(path);
    auto a = tensor_of("a", f, {4});
    test::expect_error(path + ": ", "'a.npy' is written twice", [&] { write_npz(path, {a, a}); });
    test::expect_error(path + ": ", "has no name", [&] { write_npz(path, {tensor_of("", f, {4})}); });
    EXPECT_EQ(test::read_all(path), before);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Npz, RefusesEveryPrefixOfItsOwnFiles) {
    test::ScratchFolder folder;
    const std::vector<float> f{1, 2, 3, 4};
    write_npz(folder.path("y.npz"), {tensor_of("a", f, {4}), tensor_of("b", f, {2, 2})});
    const std::string whole = test::read_all(folder.path("y.npz"));
    for (size_t n = 0; n < whole.size(); ++n) {
        const std::string path = folder.write("cut.npz", whole.substr(0, n));
        test::expect_error(path + ": ", "", [&] { NpzReader npz(path); });
    }
}

TEST(Npz, RefusesDamagedAndLargeArrays) {
    test::ScratchFolder folder;
    std::string bytes =
        test::zip_of({test::Member("a.npy", "not an array"), test::Member("readme.txt", "hello")});
    NpzReader npz(folder.write("x.npz", bytes));
    EXPECT_EQ(npz.names(), std::vector<std::string>{"a"});
    test::expect_error(folder.path("x.npz") + ": ", "array 'a': is not a npy array", [&] { npz.read("a"); });
    const std::vector<float> f(100000);
    write_npz(folder.path("y.npz"), {tensor_of("a", f, {100000})});
    NpzReader small(folder.path("y.npz"), 1000);
    test::expect_error(folder.path("y.npz") + ": ", "over the limit", [&] { small.read("a"); });
    bytes = test::read_all(folder.path("y.npz"));
    bytes[5000] ^= 1;
    NpzReader damaged(folder.write("z.npz", bytes));
    test::expect_error(folder.path("z.npz") + ": ", "checksum does not match", [&] { damaged.read("a"); });
}

} // namespace ks::io
