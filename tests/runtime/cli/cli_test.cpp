// SPDX-License-Identifier: Apache-2.0
// The program ks, run as its users run it.
#include "runtime/io/npz.h"
#include "tests/oracles/selective_scan.h"
#include "tests/oracles/sinkhorn.h"
#include "tests/runtime/io/files.h"
#include "tests/support/golden.h"
#include <array>
#include <cmath>
#include <cstdio>
#include <gtest/gtest.h>
#include <sys/wait.h>

namespace ks::test {
namespace {

const std::string shipped = std::string(KS_SOURCE_DIR) + "/models/kjv-8x11m";

struct Output {
    int status;
    std::string out, err;
};

class Cli : public testing::Test {
  protected:
    Output ks(const std::string &arguments) {
        std::string command = std::string(KS_BIN_DIR) + "/ks " + arguments + " >'" + scratch_.path("out") +
                              "' 2>'" + scratch_.path("err") + "'";
        int status = std::system(command.c_str());
        return {WEXITSTATUS(status), read_all(scratch_.path("out")), read_all(scratch_.path("err"))};
    }
    std::string path(const std::string &name) { return scratch_.path(name); }
    std::vector<float> logits(const std::string &extra) {
        Output r = ks("logits --model '" + golden_path("blackmamba_tiny") + "' --dtype f32 --tokens '" +
                      path("t.json") + "' --out '" + path("l.npy") + "' " + extra);
        EXPECT_EQ(r.status, 0) << r.err;
        io::Array a = io::read_npy(path("l.npy"));
        shape_ = a.shape;
        return io::to_f32(a.tensor());
    }
    void expect_bad_input(const Output &r, const std::string &name) {
        EXPECT_EQ(r.status, 1);
        std::string last = r.err.substr(r.err.rfind("ks: "));
        EXPECT_NE(last.find(name), std::string::npos) << r.err;
        EXPECT_EQ(last.find('\n'), last.size() - 1) << r.err;
    }
    ScratchFolder scratch_;
    std::vector<int64_t> shape_;
};

TEST_F(Cli, WrongCommandLinesExitWith2) {
    for (const char *wrong :
         {"", "no_such_verb", "generate", "generate --no-such-flag", "bench -m x -o xml", "logits --model x"})
        EXPECT_EQ(ks(wrong).status, 2) << wrong;
    EXPECT_EQ(ks("--help").status, 0);
    EXPECT_EQ(ks("generate --help").status, 0);
}

TEST_F(Cli, BadInputExitsWith1AndOneLine) {
    expect_bad_input(ks("info -m '" + path("none") + "'"), path("none"));
    expect_bad_input(ks("generate -m '" + path("none") + "' -p x"), path("none"));
    expect_bad_input(ks("perplexity -m '" + shipped + "' -f '" + path("none") + "'"), path("none"));
    expect_bad_input(ks("tokenize --tokenizer '" + path("none") + "' --text-file x --out y"), path("none"));
    expect_bad_input(ks("op selective_scan --in '" + path("none.npz") + "' --out '" + path("o.npz") + "'"),
                     path("none.npz"));
    expect_bad_input(ks("op no_such_op --in x --out y"), "no_such_op");
    for (const char *tokens : {"[]", "[[]]", "[[1, 2], [999999]]", "{", "[[-1]]", "[[1.5]]"}) {
        scratch_.write("t.json", tokens);
        expect_bad_input(ks("logits --model '" + golden_path("blackmamba_tiny") + "' --tokens '" +
                            path("t.json") + "' --out '" + path("l.npy") + "'"),
                         path("t.json"));
        EXPECT_FALSE(std::filesystem::exists(path("l.npy")));
    }
}

TEST_F(Cli, LogitsWholeSteppedAndInPiecesAgree) {
    scratch_.write("t.json", "[[1, 2, 3, 4, 5, 6, 7], [8, 9], [10, 11, 12, 13]]");
    auto whole = logits("");
    ASSERT_EQ(shape_.size(), 3u);
    ASSERT_EQ(shape_[0], 3);
    ASSERT_EQ(shape_[1], 7);
    auto vocab = static_cast<size_t>(shape_[2]);
    std::array<size_t, 3> lengths = {7, 2, 4};
    for (size_t b = 0; b < 3; b++)
        for (size_t t = 0; t < 7; t++)
            for (size_t v = 0; v < vocab; v++)
                EXPECT_EQ(std::isnan(whole[(b * 7 + t) * vocab + v]), t >= lengths[b]);
    for (const char *other : {"--step", "--chunk 3", "-t 2", "--isa avx2"}) {
        auto values = logits(other);
        ASSERT_EQ(values.size(), whole.size());
        for (size_t i = 0; i < whole.size(); i++)
            if (!std::isnan(whole[i])) {
                ASSERT_NEAR(values[i], whole[i], 1e-4) << other;
            }
    }
}

TEST_F(Cli, SameSeedSameText) {
    std::string flags = "generate -m '" + shipped + "' -p 'And God said' -n 40 --temp 0.9 -t 1 --seed ";
    Output a = ks(flags + "7"), b = ks(flags + "7"), c = ks(flags + "8");
    EXPECT_EQ(a.status, 0) << a.err;
    EXPECT_EQ(a.out.rfind("And God said", 0), 0u) << a.out;
    EXPECT_EQ(a.out, b.out);
    EXPECT_NE(a.out, c.out);
}

TEST_F(Cli, SavedStateContinues) {
    std::string model = "generate -m '" + shipped + "' --temp 0 -t 1 ";
    Output whole = ks(model + "-p 'In the beginning God' -n 12");
    ASSERT_EQ(ks(model + "-p 'In the beginning' -n 0 --state-out '" + path("s.npz") + "'").status, 0);
    Output rest = ks(model + "-p ' God' -n 12 --state-in '" + path("s.npz") + "'");
    EXPECT_EQ(rest.status, 0) << rest.err;
    EXPECT_EQ("In the beginning" + rest.out, whole.out);
}

TEST_F(Cli, InfoBenchPerplexityTokenize) {
    Output info = ks("info -m '" + shipped + "'");
    EXPECT_NE(info.out.find("11723296 total"), std::string::npos) << info.out;
    for (const char *format : {"md", "csv", "json", "jsonl"}) {
        Output bench = ks("bench -m '" + shipped + "' -p 16 -n 4 -r 2 -t 1 -o " + format);
        EXPECT_NE(bench.out.find("pp16"), std::string::npos) << bench.out;
        EXPECT_NE(bench.out.find("tg4"), std::string::npos) << bench.out;
    }
    scratch_.write("text", "And it came to pass in those days, that there went out a decree.\n");
    Output perplexity = ks("perplexity -m '" + shipped + "' -f '" + path("text") + "'");
    EXPECT_NE(perplexity.out.find("bits per byte"), std::string::npos) << perplexity.out;
    ASSERT_EQ(ks("tokenize --tokenizer '" + shipped + "/tokenizer.json' --text-file '" + path("text") +
                 "' --out '" + path("ids.json") + "'")
                  .status,
              0);
    EXPECT_EQ(read_all(path("ids.json")).front(), '[');
}

TEST_F(Cli, OpSelectiveScan) {
    const int64_t B = 2, L = 9, D = 20, N = 5;
    auto values = [](int64_t n, double scale, double offset) {
        std::vector<float> v(static_cast<size_t>(n));
        for (size_t i = 0; i < v.size(); i++)
            v[i] = static_cast<float>(offset + scale * std::sin(static_cast<double>(i) * 0.7 + scale));
        return v;
    };
    auto u = values(B * L * D, 1, 0), dt = values(B * L * D, 1.1, -2), A = values(D * N, 0.4, -1),
         Bm = values(B * L * N, 1.2, 0), C = values(B * L * N, 1.3, 0), h0 = values(B * D * N, 0.5, 0);
    io::write_npz(path("in.npz"), {io::tensor_of("u", u, {B, L, D}), io::tensor_of("dt", dt, {B, L, D}),
                                   io::tensor_of("A", A, {D, N}), io::tensor_of("B", Bm, {B, L, N}),
                                   io::tensor_of("C", C, {B, L, N}), io::tensor_of("h0", h0, {B, D, N})});
    Output r = ks("op selective_scan --in '" + path("in.npz") + "' --out '" + path("out.npz") + "'");
    ASSERT_EQ(r.status, 0) << r.err;
    auto wide = [](const std::vector<float> &v) { return std::vector<double>(v.begin(), v.end()); };
    oracle::SelectiveScan o;
    o.channels = D, o.states = N, o.seq_start = {0, L, 2 * L};
    o.u = wide(u), o.dt = wide(dt), o.A = wide(A), o.B = wide(Bm), o.C = wide(C), o.h = wide(h0);
    auto y = oracle::selective_scan(o);
    io::NpzReader out(path("out.npz"));
    auto got = io::to_f32(out.read("y").tensor()), state = io::to_f32(out.read("h_last").tensor());
    for (size_t i = 0; i < y.size(); i++) ASSERT_NEAR(got[i], y[i], 1e-5);
    for (size_t i = 0; i < o.h.size(); i++) ASSERT_NEAR(state[i], o.h[i], 1e-5);
    io::write_npz(path("bad.npz"), {io::tensor_of("u", u, {B, L, D}), io::tensor_of("A", A, {D, N})});
    expect_bad_input(ks("op selective_scan --in '" + path("bad.npz") + "' --out '" + path("o2.npz") + "'"),
                     path("bad.npz"));
}

} // namespace
} // namespace ks::test
