// SPDX-License-Identifier: Apache-2.0
// .npy: a file of NumPy's, round trips, and headers that lie.
#include "runtime/io/npy.h"
#include "tests/runtime/io/files.h"
#include <algorithm>

namespace ks::io {

namespace {

using test::le;

// numpy.save of [[1, 2, 3], [4, 5, 6]] as int32.
const char *kNumpy =
    "934e554d5059010076007b276465736372273a20273c6934272c2027666f727472616e5f6f72646572273a2046616c73652c"
    "20277368617065273a2028322c2033292c207d20202020202020202020202020202020202020202020202020202020202020"
    "2020202020202020202020202020202020202020202020202020200a01000000020000000300000004000000050000000600"
    "0000";

std::string npy(const std::string &header, const std::string &data) {
    return std::string("\x93NUMPY\x01\x00", 8) + le(static_cast<uint16_t>(header.size())) + header + data;
}

class NpyTest : public ::testing::Test {
  protected:
    Array read(const std::string &bytes) { return read_npy(folder_.write("x.npy", bytes)); }
    void refuses(const std::string &bytes, const std::string &cause) {
        SCOPED_TRACE(bytes.substr(0, 80));
        test::expect_error(folder_.path("x.npy") + ": ", cause, [&] { read(bytes); });
    }
    void refuses_header(const std::string &header, const std::string &cause) {
        refuses(npy(header, "1234"), cause);
    }
    test::ScratchFolder folder_;
};

} // namespace

TEST_F(NpyTest, ReadsWhatNumpyWrites) {
    Array a = read(test::from_hex(kNumpy));
    EXPECT_EQ(a.dtype, DType::i32);
    EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(to_f32(a.tensor()), (std::vector<float>{1, 2, 3, 4, 5, 6}));
}

TEST_F(NpyTest, WritesTheVeryBytesOfNumpy) {
    const std::vector<int32_t> values{1, 2, 3, 4, 5, 6};
    write_npy(folder_.path("y.npy"), tensor_of("y", values, {2, 3}));
    EXPECT_EQ(test::read_all(folder_.path("y.npy")), test::from_hex(kNumpy));
}

TEST_F(NpyTest, RoundTrips) {
    auto round_trip = [&](const Tensor &t) {
        write_npy(folder_.path("r.npy"), t);
        Array back = read_npy(folder_.path("r.npy"));
        EXPECT_EQ(back.dtype, t.dtype);
        EXPECT_EQ(back.shape, t.shape);
        ASSERT_EQ(back.data.size(), t.bytes);
        EXPECT_TRUE(std::equal(back.data.begin(), back.data.end(), t.data));
    };
    const std::vector<float> f{1, 2, 3, 4, 5, 6};
    for (const auto &shape :
         std::vector<std::vector<int64_t>>{{6}, {2, 3}, {1, 6, 1, 1}, {1, 1, 1, 1, 1, 1, 1, 6}})
        round_trip(tensor_of("f", f, shape));
    round_trip(tensor_of("s", std::vector<float>{7}, {}));
    round_trip(tensor_of("e", std::vector<float>{}, {3, 0}));
    const std::vector<double> d{0.1, 1e300};
    round_trip(tensor_of("d", d, {2}));
    const std::vector<int64_t> l{INT64_MIN, INT64_MAX};
    round_trip(tensor_of("l", l, {2, 1}));
    const std::vector<int32_t> i{-1};
    round_trip(tensor_of("i", i, {1}));
    test::expect_error("f: ", "shape [5] is not that of 6 values", [&] { tensor_of("f", f, {5}); });
    Tensor bf16{"b", DType::bf16, {1}, reinterpret_cast<const std::byte *>("ab"), 2};
    test::expect_error(folder_.path("b.npy") + ": ", "bf16 has no NumPy type",
                       [&] { write_npy(folder_.path("b.npy"), bf16); });
    EXPECT_FALSE(std::filesystem::exists(folder_.path("b.npy")));
}

TEST_F(NpyTest, ReadsEveryTypeAndOrderOfKeys) {
    for (auto [descr, dtype] : std::vector<std::pair<std::string, DType>>{{"<f2", DType::f16},
                                                                          {"<f4", DType::f32},
                                                                          {"<f8", DType::f64},
                                                                          {"|i1", DType::i8},
                                                                          {"<i2", DType::i16},
                                                                          {"<i4", DType::i32},
                                                                          {"<i8", DType::i64},
                                                                          {"|u1", DType::u8},
                                                                          {"|b1", DType::boolean}})
        EXPECT_EQ(read(npy("{'shape':(1,),'descr':'" + descr + "','fortran_order':False}\n",
                           std::string(size_of(dtype), '\0')))
                      .dtype,
                  dtype);
}

TEST_F(NpyTest, RefusesEveryPrefix) {
    const std::string whole = test::from_hex(kNumpy);
    for (size_t n = 0; n < whole.size(); ++n) refuses(whole.substr(0, n), "");
    refuses(whole + "x", "does not take 25 bytes");
}

TEST_F(NpyTest, RefusesBadHeaders) {
    const std::string rest = "'fortran_order': False, 'shape': (4,)}";
    refuses_header("{'descr': '|O', " + rest, "element type '|O', which is not supported");
    refuses_header("{'descr': '>f4', " + rest, "element type '>f4', which is not supported");
    refuses_header("{'descr': [('a', '<f4')], " + rest, "structured array");
    refuses_header("{'descr': '|u1', 'fortran_order': True, 'shape': (4,)}", "Fortran order");
    refuses_header("{'descr': '|u1', 'fortran_order': 0, 'shape': (4,)}", "neither True nor False");
    refuses_header("{'descr': '|u1', 'descr': '|u1', " + rest, "repeated key 'descr'");
    refuses_header("{'descr': '|u1', 'code': 1, " + rest, "unknown or repeated key 'code'");
    refuses_header("{'descr': '|u1', 'fortran_order': False}", "lacks descr");
    refuses_header("{'descr': '|u1', " + rest + " + x", "followed by something");
    const std::string before = "{'descr': '|u1', 'fortran_order': False, 'shape': ";
    refuses_header(before + "(-4,)}", "not a number");
    refuses_header(before + "(4.0,)}", "lacks ')'");
    refuses_header(before + "(4)}", "not a tuple");
    refuses_header(before + "(99999999999999999999,)}", "too large");
    refuses_header(before + "(4294967296, 4294967296)}", "does not take 4 bytes");
    refuses_header(before + "(1,1,1,1,1,1,1,1,4)}", "more than 8 dimensions");
    refuses_header(before + "(5,)}", "does not take 4 bytes");
    refuses_header(before + "(3,)}", "does not take 4 bytes");
    refuses_header(before + "(((((((", "not a number");
    refuses_header("{'descr", "without an end");
    refuses(std::string("\x93NUMPY\x04\x00", 8) + "123456", "version 4");
    refuses(std::string("\x93NUMPY\x02\x00", 8) + le<uint32_t>(~0u), "over the limit of 64 KiB");
}

} // namespace ks::io
