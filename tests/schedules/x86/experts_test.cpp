// SPDX-License-Identifier: Apache-2.0
// The products of an expert against plain loops: up within the error of its activation, down exactly.
#include "schedules/x86/experts.h"
#include "tests/schedules/x86/packed_weights.h"
#include "tests/support/jit_kernel.h"
#include <numeric>

namespace ks::test {
namespace {

struct Shape {
    int T, R, K, P;
};

const std::vector<Shape> shapes = {{1, 1, 1, 1},    {5, 2, 7, 3},    {9, 3, 20, 2},   {8, 7, 257, 1},
                                   {20, 13, 3, 2},  {20, 8, 9, 4},   {33, 20, 92, 2}, {92, 25, 5, 1},
                                   {92, 92, 20, 3}, {300, 257, 2, 1}};

// R different rows out of T, in no order.
std::vector<int> chosen(Shape s) {
    std::vector<int> rows(static_cast<size_t>(s.T));
    std::iota(rows.begin(), rows.end(), 0);
    std::shuffle(rows.begin(), rows.end(), std::mt19937(static_cast<unsigned>(s.T + s.R)));
    rows.resize(static_cast<size_t>(s.R));
    return rows;
}

double activate(const std::string &act, double v) {
    return act == "silu" ? v / (1 + std::exp(-v)) : v * 0.5 * std::erfc(-v / std::sqrt(2.0));
}

struct UpChoice {
    std::string weight, act;
    int panel, halves;
    Spec spec() const {
        Spec s;
        s.choices = {{"io", "f32"},
                     {"weight", weight},
                     {"act", act},
                     {"panel", std::to_string(panel)},
                     {"halves", std::to_string(halves)}};
        return s;
    }
};

void expect_up(const JitKernel &kernel, const UpChoice &c, Shape s) {
    int N = s.P * c.panel;
    auto xv = eighths(static_cast<size_t>(s.R) * s.K, 1);
    auto wv = eighths(static_cast<size_t>(N) * c.halves * s.K, 2);
    for (float &v : xv) v /= 4; // keeps the activation away from its flat ends
    Rows x(s.R, s.K, s.K + 2), h(s.R, N, N + 7);
    x.fill(xv);
    Weights w(c.weight, wv, {c.panel, c.halves, s.K, s.P});
    auto xb = x.matrix(), hb = h.panels(c.panel);
    ASSERT_EQ(kernel({xb.raw_buffer(), w.buffer.raw_buffer(), hb.raw_buffer()}), 0);
    double worst = 0, largest = 0;
    for (int r = 0; r < s.R; r++)
        for (int n = 0; n < N; n++) {
            double sum[2] = {0, 0};
            for (int k = 0; k < s.K; k++)
                for (int half = 0; half < c.halves; half++) {
                    int at = ((n / c.panel * s.K + k) * c.halves + half) * c.panel + n % c.panel;
                    sum[half] += static_cast<double>(x.row(r)[k]) * wv[static_cast<size_t>(at)];
                }
            double want = activate(c.act, sum[0]) * (c.halves == 2 ? sum[1] : 1.0);
            double error = std::fabs(h.row(r)[n] - want);
            worst = error <= worst ? worst : error;
            largest = std::max(largest, std::fabs(want));
        }
    EXPECT_LE(worst, 2e-6 * largest) << "R=" << s.R << " K=" << s.K << " P=" << s.P;
    EXPECT_TRUE(h.surroundings_kept());
}

Spec down_spec(const std::string &weight, int panel) {
    Spec spec;
    spec.choices = {{"io", "f32"}, {"weight", weight}, {"panel", std::to_string(panel)}};
    return spec;
}

void expect_down(const JitKernel &kernel, const std::string &weight, int panel, Shape s) {
    int N = s.P * panel;
    auto hv = eighths(static_cast<size_t>(s.R) * s.K, 1), wv = eighths(static_cast<size_t>(N) * s.K, 2);
    auto factors = eighths(static_cast<size_t>(s.R), 3);
    std::vector<int> list = chosen(s), slot(static_cast<size_t>(s.T), -1);
    for (int r = 0; r < s.R; r++) slot[static_cast<size_t>(list[static_cast<size_t>(r)])] = r;
    Rows h(s.R, s.K, s.K + 1), y(s.T, N, N + 3);
    h.fill(hv);
    Weights w(weight, wv, {panel, s.K, s.P});
    Halide::Runtime::Buffer<int> rows(list.data(), s.R);
    Halide::Runtime::Buffer<float> scale(factors.data(), s.R);
    auto hb = h.matrix(), yb = y.panels(panel);
    ASSERT_EQ(kernel({hb.raw_buffer(), rows.raw_buffer(), scale.raw_buffer(), w.buffer.raw_buffer(),
                      yb.raw_buffer()}),
              0);
    for (int t = 0; t < s.T; t++)
        for (int n = 0; n < N; n++) {
            int r = slot[static_cast<size_t>(t)];
            double want = Rows::untouched;
            if (r >= 0) {
                want = 0;
                for (int k = 0; k < s.K; k++)
                    want += static_cast<double>(hv[static_cast<size_t>(r * s.K + k)]) *
                            wv[static_cast<size_t>((n / panel * s.K + k) * panel + n % panel)];
                want *= factors[static_cast<size_t>(r)];
            }
            ASSERT_EQ(y.row(t)[n], want)
                << "T=" << s.T << " R=" << s.R << " K=" << s.K << " P=" << s.P << " at " << t << "," << n;
        }
    EXPECT_TRUE(y.surroundings_kept());
}

class ExpertsOn : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        if (!cpu_runs(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
    }
    Halide::Target target() const { return kernel_target(GetParam()); }
};

TEST_P(ExpertsOn, UpMatchesTheLoopsForAllShapes) {
    const std::vector<UpChoice> choices = {{"f32", "silu", 16, 2},     {"bf16", "gelu_erf", 8, 2},
                                           {"f16", "silu", 32, 2},     {"f32", "gelu_erf", 16, 1},
                                           {"bf16", "silu", 32, 1},    {"f16", "gelu_erf", 64, 1},
                                           {"f32", "gelu_erf", 64, 2}, {"bf16", "silu", 8, 1}};
    for (const UpChoice &c : choices) {
        SCOPED_TRACE(c.spec().text());
        JitKernel kernel(
            x86::expert_up(c.spec(), x86::expert_up_space(c.spec(), target()).fallback(), target()),
            target());
        for (Shape s : shapes) expect_up(kernel, c, s);
    }
}

TEST_P(ExpertsOn, UpWithFixedWidths) {
    UpChoice c{"bf16", "silu", 16, 2};
    Spec spec = c.spec();
    spec.fixed = {{"K", 20}, {"P", 3}};
    JitKernel kernel(x86::expert_up(spec, x86::expert_up_space(spec, target()).fallback(), target()),
                     target());
    for (int R = 1; R <= 30; R++) expect_up(kernel, c, {40, R, 20, 3});
}

TEST_P(ExpertsOn, DownIsExactAndLeavesOtherRowsAlone) {
    for (std::string weight : {"f32", "bf16", "f16"})
        for (int panel : {16, 32, 64}) {
            Spec spec = down_spec(weight, panel);
            SCOPED_TRACE(spec.text());
            JitKernel kernel(
                x86::expert_down(spec, x86::expert_down_space(spec, target()).fallback(), target()),
                target());
            for (Shape s : shapes) expect_down(kernel, weight, panel, s);
        }
}

TEST_P(ExpertsOn, DownWithFixedWidthsAndOtherKnobs) {
    Spec spec = down_spec("bf16", 32);
    spec.fixed = {{"K", 20}, {"P", 3}};
    Space space = x86::expert_down_space(spec, target());
    for (const Knobs &k : space.neighbours(space.fallback())) {
        SCOPED_TRACE(k.text());
        JitKernel kernel(x86::expert_down(spec, k, target()), target());
        for (int R = 1; R <= 30; R++) expect_down(kernel, "bf16", 32, {40, R, 20, 3});
    }
}

INSTANTIATE_TEST_SUITE_P(X86, ExpertsOn, testing::Values("avx2", "avx512"));

TEST(ExpertsSpace, DefaultsAreLegalForEveryChoice) {
    for (const char *isa : {"avx2", "avx512"})
        for (std::string weight : {"f32", "bf16", "f16"})
            for (int panel : {8, 16, 32, 64})
                for (int halves : {1, 2}) {
                    Space up = x86::expert_up_space(UpChoice{weight, "silu", panel, halves}.spec(),
                                                    kernel_target(isa));
                    EXPECT_TRUE(up.legal(up.fallback())) << isa << weight << panel;
                    if (panel == 8) continue;
                    Space down = x86::expert_down_space(down_spec(weight, panel), kernel_target(isa));
                    EXPECT_TRUE(down.legal(down.fallback())) << isa << weight << panel;
                }
}

} // namespace
} // namespace ks::test
