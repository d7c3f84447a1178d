// SPDX-License-Identifier: Apache-2.0
// Matrix product with packed weights against three loops, exactly: the operands are small multiples of 1/8.
#include "schedules/x86/linear.h"
#include "tests/schedules/x86/packed_weights.h"
#include "tests/support/jit_kernel.h"

namespace ks::test {
namespace {

struct Shape {
    int M, K, P;
};

const std::vector<Shape> shapes = {{1, 1, 1},   {1, 257, 3}, {2, 20, 7},  {3, 7, 2},   {4, 3, 5},  {5, 92, 1},
                                   {6, 5, 4},   {7, 257, 2}, {8, 20, 1},  {9, 1, 3},   {11, 2, 2}, {12, 9, 3},
                                   {13, 20, 2}, {20, 92, 3}, {25, 33, 1}, {92, 20, 2}, {257, 7, 1}};

void expect_product(const JitKernel &kernel, const std::string &weight, int panel, Shape s, bool with_bias) {
    int N = s.P * panel;
    auto xv = eighths(static_cast<size_t>(s.M) * s.K, 1), wv = eighths(static_cast<size_t>(N) * s.K, 2);
    auto bv = eighths(static_cast<size_t>(N), 3);
    Rows x(s.M, s.K, s.K + 3), y(s.M, N, N + 5);
    x.fill(xv);
    Weights w(weight, wv, {panel, s.K, s.P});
    // Nothing of a missing bias may be read: its address is not mapped.
    float *nowhere = reinterpret_cast<float *>(64);
    Halide::Runtime::Buffer<float> bias(with_bias ? bv.data() : nowhere, {panel, s.P});
    int flags = with_bias ? linear_bias : 0;
    auto xb = x.matrix();
    auto yb = y.panels(panel);
    ASSERT_EQ(kernel({xb.raw_buffer(), w.buffer.raw_buffer(), bias.raw_buffer(), &flags, yb.raw_buffer()}),
              0);
    for (int m = 0; m < s.M; m++)
        for (int n = 0; n < N; n++) {
            double sum = with_bias ? bv[static_cast<size_t>(n)] : 0;
            for (int k = 0; k < s.K; k++)
                sum += static_cast<double>(xv[static_cast<size_t>(m * s.K + k)]) *
                       wv[static_cast<size_t>((n / panel * s.K + k) * panel + n % panel)];
            ASSERT_EQ(y.row(m)[n], sum)
                << "M=" << s.M << " K=" << s.K << " P=" << s.P << " at " << m << "," << n;
        }
    EXPECT_TRUE(y.surroundings_kept()) << "M=" << s.M << " K=" << s.K << " P=" << s.P;
}

Spec spec_of(const std::string &weight, int panel) {
    Spec spec;
    spec.choices = {{"io", "f32"}, {"out", "f32"}, {"weight", weight}, {"panel", std::to_string(panel)}};
    return spec;
}

class LinearOn : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        if (!cpu_runs(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
    }
    Halide::Target target() const { return kernel_target(GetParam()); }
};

TEST_P(LinearOn, BaseKernelsAreExactForAllShapes) {
    for (std::string weight : {"f32", "bf16", "f16"})
        for (int panel : {16, 32, 64}) {
            SCOPED_TRACE(weight + " panel " + std::to_string(panel));
            Spec spec = spec_of(weight, panel);
            JitKernel kernel(x86::linear(spec, x86::linear_space(spec, target()).fallback(), target()),
                             target());
            for (size_t i = 0; i < shapes.size(); i++)
                expect_product(kernel, weight, panel, shapes[i], i % 2);
        }
}

TEST_P(LinearOn, FixedWidthsAreExactForAllRows) {
    Spec spec = spec_of("bf16", 32);
    spec.fixed = {{"K", 92}, {"P", 3}};
    JitKernel kernel(x86::linear(spec, x86::linear_space(spec, target()).fallback(), target()), target());
    for (int M = 1; M <= 40; M++) expect_product(kernel, "bf16", 32, {M, 92, 3}, M % 2);
}

// A thread gets some of the panels that the kernel was compiled for.
TEST_P(LinearOn, FixedWidthsTakeASliceOfThePanels) {
    Spec spec = spec_of("bf16", 32);
    spec.fixed = {{"K", 20}, {"P", 4}};
    Knobs k = x86::linear_space(spec, target()).fallback();
    k.set("panels", "4");
    k.set("prefetch", "0");
    JitKernel kernel(x86::linear(spec, k, target()), target());
    for (int P = 1; P <= 4; P++)
        for (int M : {1, 2, 7}) expect_product(kernel, "bf16", 32, {M, 20, P}, true);
}

TEST_P(LinearOn, EveryKnobKeepsTheResult) {
    Spec spec = spec_of("bf16", 32);
    Space space = x86::linear_space(spec, target());
    std::vector<Knobs> points = space.neighbours(space.fallback());
    for (const char *panels : {"2", "4"}) {
        Knobs k = space.fallback();
        k.set("panels", panels);
        k.set("prefetch", "0");
        points.push_back(k);
        k.set("vectors", "1"); // low tiles still take the whole panel, tall ones pass over it
        points.push_back(k);
    }
    for (const Knobs &k : points) {
        SCOPED_TRACE(k.text());
        ASSERT_TRUE(space.legal(k));
        JitKernel kernel(x86::linear(spec, k, target()), target());
        for (Shape s :
             {Shape{1, 20, 1}, {1, 7, 7}, {2, 7, 3}, {3, 20, 6}, {7, 9, 4}, {13, 5, 2}, {20, 33, 5}})
            expect_product(kernel, "bf16", 32, s, true);
    }
}

TEST_P(LinearOn, NanStaysInItsRow) {
    Spec spec = spec_of("f32", 16);
    JitKernel kernel(x86::linear(spec, x86::linear_space(spec, target()).fallback(), target()), target());
    Rows x(7, 20, 20), y(7, 16, 16);
    x.fill(eighths(140, 1));
    x.row(2)[4] = NAN;
    Weights w("f32", eighths(320, 2), {16, 20, 1});
    auto xb = x.matrix();
    auto yb = y.panels(16);
    int flags = 0;
    ASSERT_EQ(kernel({xb.raw_buffer(), w.buffer.raw_buffer(), yb.raw_buffer(), &flags, yb.raw_buffer()}), 0);
    for (int m = 0; m < 7; m++)
        for (int n = 0; n < 16; n++) EXPECT_EQ(std::isnan(y.row(m)[n]), m == 2);
}

INSTANTIATE_TEST_SUITE_P(X86, LinearOn, testing::Values("avx2", "avx512"));

TEST(LinearSpace, DefaultsAreLegalForEveryChoice) {
    for (const char *isa : {"avx2", "avx512"})
        for (std::string weight : {"f32", "bf16", "f16"})
            for (int panel : {16, 32, 64}) {
                Space space = x86::linear_space(spec_of(weight, panel), kernel_target(isa));
                EXPECT_TRUE(space.legal(space.fallback())) << isa << weight << panel;
            }
}

} // namespace
} // namespace ks::test
