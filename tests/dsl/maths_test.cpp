// SPDX-License-Identifier: Apache-2.0
// Every function of dsl/maths.h against double precision: 2^16 mantissas of every exponent and sign, so 2^25
// values and all edges; with KS_EXHAUSTIVE set in the environment (./test --exhaustive), all 2^32. Says how
// much of the allowed error each variant uses.
#include "HalideBuffer.h"
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "tests/support/jit_kernel.h"
#include <cmath>
#include <cstdio>
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
// Subnormals of both signs count as zeros.
double exact_log2(double x) { return std::abs(x) < 0x1p-126 ? -inf : std::log2(x); }
double exact_sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double exact_silu(double x) { return std::isinf(x) ? x : x / (1 + std::exp(-x)); }
double exact_softplus(double x) {
    return std::isnan(x) ? x : std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

// Denormal results may be flushed.
constexpr double tiny = 1.2e-38;

const Function functions[] = {
    {"decay_exp2", [](const Maths &m, const Halide::Expr &x) { return m.decay_exp2(x); },
     [](double x) { return std::exp2(x); },
     [](double x, double y) { return !(x <= 0)  ? -1
                                     : x < -126 ? 2 * tiny
                                                : relative(2e-7, y); }},
    {"exp2", [](const Maths &m, const Halide::Expr &x) { return m.exp2(x); },
     [](double x) { return std::exp2(x); },
     [](double x, double y) { return x < -126   ? tiny
                                     : x >= 128 ? 0
                                                : relative(2e-7, y); }},
    {"exp", [](const Maths &m, const Halide::Expr &x) { return m.exp(x); },
     [](double x) { return std::exp(x); },
     [](double x, double y) {
         if (x < -87.3) return tiny;
         return std::isinf(x) ? 0 : relative(3e-7 + 7.5e-8 * std::abs(x), y);
     }},
    {"log2", [](const Maths &m, const Halide::Expr &x) { return m.log2(x); }, exact_log2,
     [](double x, double y) { return std::isinf(x) ? 0 : 2e-7 + relative(2e-7, y); }},
    {"softplus", [](const Maths &m, const Halide::Expr &x) { return m.softplus(x); }, exact_softplus,
     [](double x, double y) {
         return x < -80 ? 2.4e-35 : std::isinf(x) ? 0 : relative(3e-7 + (x < 0 ? 7.5e-8 * -x : 0), y);
     }},
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
         return x < -9 ? 1e-17 : x < 0 ? relative(1.5e-6 + 6e-8 * x * x, y) : relative(1.5e-6, y) + tiny;
     }},
    {"rsqrt", [](const Maths &m, const Halide::Expr &x) { return m.rsqrt(x); },
     [](double x) { return 1 / std::sqrt(x); },
     [](double x, double y) {
         return x < 0 || (x != 0 && std::abs(x) < 1.1754943508222875e-38) || std::isinf(x) ? -1
                : x == 0                                                                   ? 0
                         : relative(1.5e-7, y);
     }},
};

class Sweep : public testing::TestWithParam<Function> {};

// Wrong in a way that names the value; empty when within the contract.
std::string fault(const Function &f, float x, double exact, float got) {
    double allowed = f.allowed(x, exact);
    bool clamps = f.name == std::string("decay_exp2"); // NaN too
    if (std::isnan(x)) return (clamps ? got == 0x1p-126f : std::isnan(got)) ? "" : "NaN";
    if (allowed < 0) return "";
    if (std::isnan(exact)) return std::isnan(got) ? "" : "expected NaN";
    constexpr double infinite = 0x1.ffffffp127; // rounds to infinity
    if (std::isinf(got)) return exact == got || std::abs(exact) + allowed >= infinite ? "" : "infinity";
    if (std::abs(exact) - allowed >= infinite || std::isinf(exact)) return "expected infinity";
    constexpr double last_bit = 1.5e-45; // of a subnormal
    if (std::abs(got - exact) <= allowed + last_bit) return "";
    char error[32];
    std::snprintf(error, sizeof error, "error %.3g", std::abs(got - exact) / std::max(std::abs(exact), tiny));
    return error;
}

struct Variant {
    std::string name;
    test::JitKernel kernel;
    double used = 0; // of the error allowed for normal results, and where
    float at = 0;

    void note(const Function &f, float x, double exact, float got) {
        double allowed = f.allowed(x, exact), error = std::abs(got - exact);
        if (std::abs(exact) >= 0x1p-126 && allowed > 0 && std::isfinite(error) && error / allowed > used)
            used = error / allowed, at = x;
    }
};

Variant variant(const Function &f, Rounding rounding, const std::string &isa) {
    Halide::ImageParam in(Halide::Float(32), 1, "x");
    Halide::Var i("i");
    Halide::Func out("out");
    out(i) = f.build(Maths(rounding), in(i));
    Halide::Target target = kernel_target(isa);
    out.vectorize(i, target.natural_vector_size<float>());
    return {isa + (rounding == Rounding::magic ? " magic" : " round"), {{{out}, {in}, {}}, target}};
}

constexpr int block = 1 << 16;

// Bits of value `low` of block `high`. All values in order; or one block per sign and exponent, mantissas
// spread evenly with both ends.
uint32_t bits_of(uint32_t high, uint32_t low, bool all) {
    if (all) return high << 16 | low;
    return high << 23 | (low == block - 1 ? 0x7fffff : (low << 7) + low % 128);
}

TEST_P(Sweep, WithinItsContract) {
    const Function &f = GetParam();
    std::vector<Variant> variants;
    for (const char *isa : {"avx2", "avx512"})
        for (Rounding rounding : {Rounding::magic, Rounding::round})
            if (test::cpu_runs(isa)) variants.push_back(variant(f, rounding, isa));
    Halide::Runtime::Buffer<float> x(block), y(block);
    std::vector<double> exact(block);
    bool all = std::getenv("KS_EXHAUSTIVE") != nullptr;
    int faults = 0;
    for (uint32_t high = 0; high < (all ? 1u << 16 : 512u); high++) {
        for (int n = 0; n < block; n++) {
            uint32_t bits = bits_of(high, static_cast<uint32_t>(n), all);
            std::memcpy(&x(n), &bits, 4);
            exact[static_cast<size_t>(n)] = f.exact(x(n));
        }
        for (Variant &v : variants) {
            ASSERT_EQ(v.kernel({x.raw_buffer(), y.raw_buffer()}), 0);
            for (int n = 0; n < block && faults < 5; n++) {
                v.note(f, x(n), exact[static_cast<size_t>(n)], y(n));
                if (std::string what = fault(f, x(n), exact[static_cast<size_t>(n)], y(n)); !what.empty())
                    ADD_FAILURE() << v.name << ": " << f.name << "(" << x(n) << ") = " << y(n) << ": " << what
                                  << (++faults, "");
            }
        }
    }
    for (const Variant &v : variants)
        std::printf("%s %s: %.0f %% of the allowed error, at %.9g\n", f.name, v.name.c_str(), 100 * v.used,
                    v.at);
}

INSTANTIATE_TEST_SUITE_P(All, Sweep, testing::ValuesIn(functions),
                         [](const auto &test) { return std::string(test.param.name); });

} // namespace
} // namespace ks
