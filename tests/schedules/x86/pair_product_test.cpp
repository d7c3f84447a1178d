// SPDX-License-Identifier: Apache-2.0
// Products of bf16 pairs against the oracles: linear, and both products of an expert. Odd widths leave one k
// over.
#include "runtime/base/error.h"
#include "schedules/x86/linear.h"
#include "tests/oracles/activations.h"
#include "tests/oracles/linear.h"
#include "tests/support/jit_kernel.h"
#include "tests/support/op_call.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {

constexpr int lanes = 32; // of a panel, all parts together

// [parts][P * panel, K] matrices in the layout of the contracts.
std::vector<double> packed(const std::vector<std::vector<double>> &parts, int P, int K) {
    int count = static_cast<int>(parts.size()), panel = lanes / count;
    std::vector<double> w;
    for (int p = 0; p < P; p++)
        for (int k = 0; k < K;) {
            int width = k + 1 < K ? 2 : 1;
            for (const auto &part : parts)
                for (int i = 0; i < panel; i++)
                    for (int j = 0; j < width; j++)
                        w.push_back(part[static_cast<size_t>((p * panel + i) * K + k + j)]);
            k += width;
        }
    return w;
}

struct Shape {
    int rows, K, P;
};

const std::vector<Shape> shapes = {{1, 1, 1},  {1, 2, 3},  {1, 257, 2},  {2, 3, 1},
                                   {3, 20, 5}, {5, 92, 1}, {7, 33, 2},   {8, 64, 3},
                                   {12, 7, 1}, {13, 5, 2}, {25, 184, 1}, {257, 20, 1}};

std::vector<double> random(size_t count, int seed, double scale = 1) {
    return stored("bf16", normal(count, seed, scale));
}

class PairProduct : public testing::TestWithParam<bool> {
  protected:
    void SetUp() override {
        if (!cpu_runs("avx512_bf16")) GTEST_SKIP() << "this CPU has no avx512_bf16";
    }
    bool fixed() const { return GetParam(); }
    std::vector<Shape> cases() const { return fixed() ? std::vector<Shape>{shapes[6], shapes[7]} : shapes; }
};

TEST_P(PairProduct, Linear) {
    for (Shape s : cases())
        for (bool bias : {false, true}) {
            SCOPED_TRACE(testing::Message() << s.rows << " " << s.K << " " << s.P << " bias " << bias);
            OpCall call("linear", {{"io", "bf16"}, {"out", "f32"}, {"weight", "bf16"}, {"panel", "32"}},
                        {{"M", s.rows}, {"K", s.K}, {"P", s.P}}, "avx512_bf16", fixed());
            auto x = random(call.size("x"), 1), w = random(call.size("w"), 2);
            auto b = stored("f32", normal(call.size("bias"), 3));
            call.set("x", x);
            call.set("w", packed({w}, s.P, s.K));
            call.set("bias", b);
            call.set_integer("flags", bias ? linear_bias : 0);
            EXPECT_EQ(call.run(), "");
            EXPECT_LE(error_of(call.get("y"), oracle::linear(x, w, s.K, bias ? b : std::vector<double>())),
                      1e-6);
        }
}

TEST_P(PairProduct, ExpertUp) {
    for (Shape s : cases())
        for (int halves : {1, 2}) {
            SCOPED_TRACE(testing::Message() << s.rows << " " << s.K << " " << s.P << " halves " << halves);
            std::string act = halves == 2 ? "silu" : "gelu_erf";
            OpCall call("expert_up",
                        {{"io", "bf16"},
                         {"weight", "bf16"},
                         {"panel", std::to_string(lanes / halves)},
                         {"halves", std::to_string(halves)},
                         {"act", act}},
                        {{"R", s.rows}, {"K", s.K}, {"P", s.P}}, "avx512_bf16", fixed());
            auto x = random(call.size("x"), 1);
            std::vector<std::vector<double>> parts;
            for (int i = 0; i < halves; i++)
                parts.push_back(random(call.size("w") / static_cast<size_t>(halves), 2 + i));
            call.set("x", x);
            call.set("w", packed(parts, s.P, s.K));
            EXPECT_EQ(call.run(), "");
            std::vector<double> h = oracle::linear(x, parts[0], s.K);
            for (double &v : h) v = halves == 2 ? oracle::silu(v) : oracle::gelu_erf(v);
            if (halves == 2) {
                std::vector<double> up = oracle::linear(x, parts[1], s.K);
                for (size_t i = 0; i < h.size(); i++) h[i] *= up[i];
            }
            EXPECT_LE(error_of(call.get("h"), h), 1.0 / 256); // half a unit in the last place of bf16
        }
}

TEST_P(PairProduct, ExpertDown) {
    for (Shape s : cases()) {
        SCOPED_TRACE(testing::Message() << s.rows << " " << s.K << " " << s.P);
        OpCall call("expert_down", {{"io", "bf16"}, {"weight", "bf16"}, {"panel", "32"}},
                    {{"T", s.rows + 2}, {"R", s.rows}, {"K", s.K}, {"P", s.P}}, "avx512_bf16", fixed());
        auto h = random(call.size("h"), 1), w = random(call.size("w"), 2);
        auto scale = stored("f32", normal(call.size("scale"), 3));
        std::vector<double> rows, before = normal(call.size("y"), 4), wanted = before;
        for (int r = 0; r < s.rows; r++) rows.push_back(s.rows + 1 - r);
        call.set("h", h);
        call.set("w", packed({w}, s.P, s.K));
        call.set("rows", rows);
        call.set("scale", scale);
        call.set("y", before);
        EXPECT_EQ(call.run(), "");
        std::vector<double> product = oracle::linear(h, w, s.K);
        size_t width = static_cast<size_t>(s.P) * lanes;
        for (size_t r = 0; r < rows.size(); r++)
            for (size_t i = 0; i < width; i++)
                wanted[static_cast<size_t>(rows[r]) * width + i] = product[r * width + i] * scale[r];
        EXPECT_LE(error_of(call.get("y"), wanted), 1e-6);
    }
}

INSTANTIATE_TEST_SUITE_P(Widths, PairProduct, testing::Bool(),
                         [](const auto &p) { return p.param ? "Fixed" : "Any"; });

TEST(PairProductSpec, OtherWeightsAreRefused) {
    Spec spec;
    spec.choices = {{"io", "bf16"}, {"out", "f32"}, {"weight", "f16"}, {"panel", "32"}};
    Halide::Target target = kernel_target("avx512_bf16");
    Knobs knobs = x86::linear_space(spec, target).fallback();
    EXPECT_THROW(x86::linear(spec, knobs, target), Error);
}

} // namespace
} // namespace ks::test
