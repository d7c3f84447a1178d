// SPDX-License-Identifier: Apache-2.0
// Expansions of pseudo-calls, executed by the emulator and accepted by ptxas.
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/instructions.h"
#include "dsl/ptx/ptxas.h"
#include "runtime/base/error.h"
#include "tests/emulator/snippet.h"
#include <gmock/gmock.h>
#include <limits>
#include <random>

namespace ks::ptx {
namespace {

using emulator::Snippet;
using testing::HasSubstr;

uint64_t as_bits(float f) { return emulator::bits_of(f); }
float as_float(uint64_t bits) { return emulator::value_of<float>(bits); }

std::string expanded(const std::string &name, const std::vector<std::string> &arguments) {
    return instructions().at(name)({name, arguments, "%out"});
}
float state(size_t channel, size_t n) { // 11 bits: what tf32 keeps
    return static_cast<float>(1 + channel) + static_cast<float>(n) / 16;
}
float weight(size_t t, size_t n) { return static_cast<float>(t * 3) - static_cast<float>(n) / 4; }
double read_out(size_t channel, size_t t, size_t first, size_t count) {
    double sum = 0;
    for (size_t n = first; n < first + count; n++)
        sum += static_cast<double>(state(channel, n)) * static_cast<double>(weight(t, n));
    return sum;
}

// 16 states of the channels (2g, 2g + 1), 4 a lane from 4q on; a column per step.
TEST(Instructions, MmaK16SumsFourLanes) {
    for (size_t parity : {0, 1}) {
        Snippet warp;
        std::vector<std::string> names;
        for (size_t i = 0; i < 12; i++) names.push_back("%in" + std::to_string(i));
        for (size_t lane = 0; lane < 32; lane++) {
            size_t g = lane / 4, q = lane % 4;
            for (size_t i = 0; i < 4; i++) {
                for (size_t c = 0; c < 2; c++)
                    warp.registers[names[2 * i + c]][lane] = as_bits(state(2 * g + c, 4 * q + i));
                warp.registers[names[8 + i]][lane] = as_bits(weight(g, 4 * q + i));
            }
        }
        names.push_back(std::to_string(parity));
        warp.run(expanded("ks_mma_k16", names), {"%out"});
        for (size_t lane = 0; lane < 32; lane++) {
            size_t g = lane / 4, q = lane % 4;
            uint64_t out = warp.registers.at("%out")[lane];
            for (size_t c = 0; c < 2; c++)
                EXPECT_NEAR(as_float(out >> (32 * c)), read_out(2 * g + c, 2 * q + parity, 0, 16), 1e-2)
                    << lane << " " << c;
        }
    }
}

// Row g: half g % 2 of the states of channel g / 2, two a lane; rows g + 8: the next step. A column per step
// and half.
TEST(Instructions, MmaK8SumsHalfTheStates) {
    Snippet warp;
    std::vector<std::string> names;
    for (size_t i = 0; i < 7; i++) names.push_back("%in" + std::to_string(i));
    for (size_t lane = 0; lane < 32; lane++) {
        size_t g = lane / 4, q = lane % 4, n = 8 * (g % 2) + 2 * q;
        for (size_t i = 0; i < 2; i++) {
            warp.registers[names[2 * i]][lane] = as_bits(state(g / 2, n + i));
            warp.registers[names[2 * i + 1]][lane] = as_bits(state(g / 2 + 50, n + i));
            warp.registers[names[4 + i]][lane] = as_bits(weight(g / 2, n + i));
        }
        warp.registers[names[6]][lane] = g % 2;
    }
    warp.run(expanded("ks_mma_k8", names), {"%out"});
    for (size_t lane = 0; lane < 32; lane++) {
        size_t g = lane / 4, q = lane % 4; // column 2q + g % 2 is step q and half g % 2
        uint64_t out = warp.registers.at("%out")[lane];
        EXPECT_NEAR(as_float(out), read_out(g / 2, q, 8 * (g % 2), 8), 1e-2) << lane;
        EXPECT_NEAR(as_float(out >> 32), read_out(g / 2 + 50, q, 8 * (g % 2), 8), 1e-2) << lane;
    }
}

// Values of all sizes and both signs, against double: the bound is that of the header, and tf32 alone misses
// it a thousand times.
TEST(Instructions, QuadSumsKeepF32) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> mantissa(-2.f, 2.f);
    std::uniform_int_distribution<int> exponent(-20, 20);
    double worst = 0, worst_of_tf32 = 0;
    for (int round = 0; round < 500; round++) {
        Snippet warp;
        std::array<std::array<double, 8>, 2> exact{}, size{}, leading{};
        for (size_t lane = 0; lane < 32; lane++)
            for (size_t i : {0, 1}) {
                float v = std::ldexp(mantissa(random), round % 2 ? exponent(random) : 0);
                warp.registers[i ? "%y" : "%x"][lane] = as_bits(v);
                exact[i][lane / 4] += static_cast<double>(v);
                size[i][lane / 4] += std::fabs(static_cast<double>(v));
                leading[i][lane / 4] += static_cast<double>(as_float(as_bits(v) & 0xffffe000u));
            }
        warp.run(expanded("ks_quad_sums", {"%x", "%y"}), {"%out"});
        for (size_t lane = 0; lane < 32; lane++)
            for (size_t i : {0, 1}) {
                double sum = static_cast<double>(as_float(warp.registers.at("%out")[lane] >> (32 * i)));
                double scale = size[i][lane / 4];
                worst = std::max(worst, std::fabs(sum - exact[i][lane / 4]) / scale);
                worst_of_tf32 =
                    std::max(worst_of_tf32, std::fabs(leading[i][lane / 4] - exact[i][lane / 4]) / scale);
            }
    }
    EXPECT_LT(worst, 3 * std::ldexp(1., -23) + std::ldexp(1., -24)); // cut off, and the sum rounded here
    EXPECT_GT(worst_of_tf32, 1000 * worst);
}

TEST(Instructions, QuadSumsPassOnWhatIsNotFinite) {
    float infinity = std::numeric_limits<float>::infinity();
    for (float odd : {std::nanf(""), infinity, -infinity}) {
        Snippet warp;
        for (size_t lane = 0; lane < 32; lane++) {
            warp.registers["%x"][lane] = as_bits(lane == 9 ? odd : 1.f); // of the quad of lanes 8 to 11
            warp.registers["%y"][lane] = as_bits(2.f);
        }
        warp.run(expanded("ks_quad_sums", {"%x", "%y"}), {"%out"});
        for (size_t lane = 0; lane < 32; lane++) {
            float x = as_float(warp.registers.at("%out")[lane]),
                  y = as_float(warp.registers.at("%out")[lane] >> 32);
            EXPECT_EQ(std::isfinite(x), lane / 4 != 2) << lane;
            EXPECT_EQ(y, 8.f) << lane;
        }
    }
}

TEST(Instructions, Exp2PolynomialOverItsDomain) {
    double worst = 0;
    for (int i = 0; i < 126 * 1024; i += 32) {
        Snippet warp;
        for (int lane = 0; lane < 32; lane++)
            warp.registers["%x0"][static_cast<size_t>(lane)] =
                as_bits(static_cast<float>(-(i + lane)) / 1024);
        warp.run(expanded("ks_ex2p", {"%x0"}), {"%out"});
        for (size_t lane = 0; lane < 32; lane++) {
            double exact = std::exp2(static_cast<double>(as_float(warp.registers["%x0"][lane])));
            worst = std::max(
                worst, std::abs(static_cast<double>(as_float(warp.registers["%out"][lane])) / exact - 1));
        }
    }
    EXPECT_LT(worst, 2.5e-7);
    EXPECT_GT(worst, 1e-8); // the model does compute it
    Snippet far;
    far.registers["%x0"].fill(as_bits(-1e30f));
    far.run(expanded("ks_ex2p", {"%x0"}), {"%out"});
    EXPECT_EQ(as_float(far.registers["%out"][0]), std::ldexp(1.f, -126));
}

TEST(Instructions, HalvesOfAPair) { // PTX names the high half first
    EXPECT_THAT(expanded("ks_bf16x2", {"%l", "%h"}),
                HasSubstr("mov.b32 %low, %l; mov.b32 %high, %h; cvt.rn.bf16x2.f32 %out, %high, %low;"));
    EXPECT_THAT(expanded("ks_f16x2", {"%l", "%h"}), HasSubstr("cvt.rn.f16x2.f32 %out, %high, %low;"));
}

TEST(Instructions, AllLanesOfAWarpTogether) {
    Snippet warp;
    for (size_t lane = 0; lane < 32; lane++) warp.registers["%in"][lane] = lane % 3 ? 0 : lane + 7;
    warp.run(expanded("ks_ballot", {"%in"}), {"%out"});
    EXPECT_EQ(warp.registers.at("%out")[5], 0b01001001001001001001001001001001u);
    warp.run(expanded("ks_warp_sum", {"%in"}), {"%out"});
    EXPECT_EQ(warp.registers.at("%out")[31], 11u * 7 + 165);
    for (const char *call :
         {"ks_ballot", "ks_warp_sum"}) { // no lane may be left out, or the others wait for ever
        EXPECT_THAT(expanded(call, {"%in"}), HasSubstr("0xffffffff"));
        EXPECT_THROW(expanded(call, {}), Error);
    }
}

TEST(Instructions, WrongCallsAreRefused) {
    EXPECT_THROW(expanded("ks_tanh", {}), Error);
    EXPECT_THROW(expanded("ks_quad_sums", {"%x"}), Error);
    EXPECT_THROW(expanded("ks_mma_k8", std::vector<std::string>(6, "%x")), Error);
    EXPECT_THROW(expanded("ks_mma_k16", std::vector<std::string>(13, "%x")), Error); // parity in a register
    EXPECT_THROW(mma_k8({1.f, 2.f}, {1.f, 2.f}, 0), Error);
}

TEST(Instructions, PtxasTakesAllOfThem) {
    auto ptxas = Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    using namespace Halide;
    ImageParam x(Float(32), 1, "x");
    Var i("i"), block("block"), thread("thread");
    Func y("y");
    std::vector<Expr> eight(8, x(i)), four(4, x(i)), two(2, x(i));
    auto low = [](const Expr &e) { return reinterpret<float>(cast<uint32_t>(e)); };
    y(i) = low(mma_k16(eight, four, 1)) + low(mma_k8(four, two, i % 2)) + low(quad_sums(x(i), x(i) + 3.f)) +
           tanh_approx(x(i)) + log2_approx(x(i)) + exp2_polynomial(x(i)) +
           reinterpret<float>(pack_bf16(x(i), x(i) + 1.f)) + reinterpret<float>(pack_f16(x(i), x(i) + 2.f)) +
           cast<float>(ballot(x(i) > 0.f)) + cast<float>(warp_sum(i));
    y.gpu_tile(i, block, thread, 32, TailStrategy::RoundUp);
    Kernel kernel{{y}, {x}, {}};
    std::string ptx = ptx_of(lower_to_module(kernel, "kernel", kernel_target("cuda")));
    std::string whole = expand_pseudo_calls(ptx, instructions());
    for (const char *name : {"mma.sync.aligned.m16n8k8", "tanh.approx", "lg2.approx", "cvt.rn.bf16x2",
                             "cvt.rn.f16x2", "vote.sync.ballot", "redux.sync.add"})
        EXPECT_THAT(whole, HasSubstr(name));
    EXPECT_EQ(ptxas->assemble(whole, {"sm_80"}).kernels.at(0).stack, 0);
}

} // namespace
} // namespace ks::ptx
