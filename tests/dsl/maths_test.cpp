// SPDX-License-Identifier: Apache-2.0
// Every function of dsl/maths.h against double precision: 2^16 mantissas of every exponent and sign, so 2^25
// values and all edges; with KS_EXHAUSTIVE set in the environment, all 2^32.
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "HalideBuffer.h"
#include "tests/support/jit_kernel.h"
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gtest/gtest.h>
#include <limits>

namespace ks {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

struct Function {
    const char *name;
    Halide::Expr (*build)(const Maths &, const Halide::Expr &);
    double (*exact)(double);
    // The contract of maths.h: the largest error allowed at x, absolute; negative: nothing is promised.
    double (*allowed)(double x, double exact);
};

double relative(double e, double exact) { return e * std::abs(exact); }

double exact_gelu(double x) { return std::isinf(x) && x < 0 ? 0 : x * 0.5 * std::erfc(-x / std::sqrt(2.0)); }
double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double exact_silu(double x) { return std::isinf(x) ? x : x / (1 + std::exp(-x)); }
double exact_softplus(double x) { return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); }

// Denormal results may be flushed.
constexpr double tiny = 1.2e-38;

const Function functions[] = {
    {"decay_exp2", [](const Maths &m, const Halide::Expr &x) { return m.decay_exp2(x); }, [](double x) { return std::exp2(x); },
     [](double x, double y) { return !(x <= 0) ? -1 : x < -126 ? 2 * tiny : relative(2e-7, y); }},
    {"exp2", [](const Maths &m, const Halide::Expr &x) { return m.exp2(x); }, [](double x) { return std::exp2(x); },
     [](double x, double y) { return x < -126 ? tiny : x >= 128 ? 0 : relative(2e-7, y); }},
    {"exp", [](const Maths &m, const Halide::Expr &x) { return m.exp(x); }, [](double x) { return std::exp(x); },
     [](double x, double y) {
         if (x < -87.3) return tiny;
         return x > 88.7 && x < 88.8 ? -1 : std::isinf(x) ? 0 : relative(3e-7 + 7.5e-8 * std::abs(x), y);
     }},
    {"log2", [](const Maths &m, const Halide::Expr &x) { return m.log2(x); }, [](double x) { return std::log2(x); },
     [](double x, double y) { return x != 0 && std::abs(x) < 1.1754943508222875e-38 ? -1 : std::isinf(x) ? 0 : 2e-7 + relative(2e-7, y); }},
    {"softplus", [](const Maths &m, const Halide::Expr &x) { return m.softplus(x); }, exact_softplus,
     [](double x, double y) { return x < -80 ? 2.4e-35 : std::isinf(x) ? 0 : relative(3e-7 + (x < 0 ? 7.5e-8 * -x : 0), y); }},
    {"sigmoid", [](const Maths &m, const Halide::Expr &x) { return m.sigmoid(x); }, exact_sigmoid,
     [](double x, double y) { return x < -80 ? 2e-35 : relative(5e-7 + (x < 0 ? 7.5e-8 * -x : 0), y); }},
    {"silu", [](const Maths &m, const Halide::Expr &x) { return m.silu(x); }, exact_silu,
     [](double x, double y) {
         if (std::isinf(x)) return 0.0;
         return x < -80 ? (x < -1e3 ? -1 : 2e-32) : relative(6e-7 + (x < 0 ? 7.5e-8 * -x : 0), y);
     }},
    {"gelu_erf", [](const Maths &m, const Halide::Expr &x) { return m.gelu_erf(x); }, exact_gelu,
     [](double x, double y) {
         if (std::isinf(x)) return x < 0 ? 1e-17 : 0.0;
         return x < -9 ? (x < -1e18 ? -1 : 1e-17) : x < 0 ? relative(1.5e-6 + 6e-8 * x * x, y) : relative(1.5e-6, y) + tiny;
     }},
    {"rsqrt", [](const Maths &m, const Halide::Expr &x) { return m.rsqrt(x); }, [](double x) { return 1 / std::sqrt(x); },
     [](double x, double y) { return x < 0 || (x != 0 && std::abs(x) < 1.1754943508222875e-38) || std::isinf(x) ? -1 : x == 0 ? 0 : relative(1.5e-7, y); }},
};

struct Case {
    const Function *function;
    Rounding rounding;
    std::string isa;
};

class Sweep : public testing::TestWithParam<Case> {};

// Wrong in a way that names the value; empty when within the contract.
std::string fault(const Function &f, float x, float got) {
    double exact = f.exact(x), allowed = f.allowed(x, exact);
    if (std::isnan(x)) return std::isnan(got) || allowed < 0 ? "" : "NaN is lost";
    if (allowed < 0) return "";
    if (std::abs(exact) >= 0x1.ffffffp127) exact = std::copysign(inf, exact); // rounds to infinity
    if (std::isnan(exact)) return std::isnan(got) ? "" : "expected NaN";
    if (std::isinf(exact) || std::isinf(got)) return exact == got ? "" : "infinity";
    constexpr double last_bit = 1.5e-45; // of a subnormal
    return std::abs(got - exact) <= allowed + last_bit ? "" : "error " + std::to_string(std::abs(got - exact) / std::max(std::abs(exact), tiny));
}

TEST_P(Sweep, WithinItsContract) {
    const auto &[f, rounding, isa] = GetParam();
    if (!test::cpu_runs(isa)) GTEST_SKIP() << "this CPU has no " << isa;
    Halide::ImageParam in(Halide::Float(32), 1, "x");
    Halide::Var i("i");
    Halide::Func out("out");
    out(i) = f->build(Maths(rounding), in(i));
    Halide::Target target = kernel_target(isa);
    out.vectorize(i, target.natural_vector_size<float>());
    test::JitKernel kernel({{out}, {in}, {}}, target);

    constexpr int block = 1 << 16;
    Halide::Runtime::Buffer<float> x(block), y(block);
    bool all = std::getenv("KS_EXHAUSTIVE") != nullptr;
    int faults = 0;
    for (uint64_t high = 0; high < (all ? 1u << 16 : 512u); high++) {
        // 512 blocks: sign and exponent; mantissas spread evenly, both ends included. Else all values in order.
        for (uint32_t low = 0; low < block; low++) {
            uint32_t bits = all ? static_cast<uint32_t>(high << 16) | low
                                : static_cast<uint32_t>(high << 23) | (low == block - 1 ? 0x7fffff : (low << 7) + low % 128);
            std::memcpy(&x(static_cast<int>(low)), &bits, 4);
        }
        ASSERT_EQ(kernel({x.raw_buffer(), y.raw_buffer()}), 0);
        for (int n = 0; n < block && faults < 5; n++)
            if (std::string what = fault(*f, x(n), y(n)); !what.empty())
                ADD_FAILURE() << f->name << "(" << x(n) << ") = " << y(n) << ": " << what << (++faults, "");
    }
}

std::vector<Case> cases() {
    std::vector<Case> list;
    for (const Function &f : functions)
        for (Rounding r : {Rounding::magic, Rounding::round})
            for (const char *isa : {"avx2", "avx512"}) list.push_back({&f, r, isa});
    return list;
}

INSTANTIATE_TEST_SUITE_P(All, Sweep, testing::ValuesIn(cases()), [](const auto &test) {
    return std::string(test.param.function->name) + (test.param.rounding == Rounding::magic ? "_magic_" : "_round_") + test.param.isa;
});

} // namespace
} // namespace ks
