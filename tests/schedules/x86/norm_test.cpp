// SPDX-License-Identifier: Apache-2.0
// RMSNorm and LayerNorm with residual add, against the double-precision loops.
#include "tests/oracles/norm.h"
#include "tests/support/op_call.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks::test {
namespace {

struct Case {
    std::string op, rounding, isa;
    int rows, width;
    bool add, fixed;
    double offset = 0; // added to hidden
    double tolerance = 0;
};

oracle::NormOptions options(const std::string &rounding) {
    oracle::NormOptions o;
    std::string to = rounding.substr(rounding.rfind('_') + 1);
    auto storage = to == "bf16"  ? oracle::Rounding::bf16
                   : to == "f16" ? oracle::Rounding::f16
                                 : oracle::Rounding::none;
    o.eps = static_cast<double>(1e-5f);
    o.sum = o.output = storage;
    if (rounding.rfind("hf_", 0) == 0) o.normalised = storage;
    return o;
}

void check(const Case &k) {
    SCOPED_TRACE(testing::Message() << k.op << " " << k.rounding << " " << k.isa << " T=" << k.rows
                                    << " H=" << k.width << " add=" << k.add << " fixed=" << k.fixed);
    OpCall call(k.op, {{"rounding", k.rounding}}, {{"T", k.rows}, {"H", k.width}}, k.isa, k.fixed);
    auto hidden = normal(call.size("hidden"), 1), weight = normal(call.size("weight"), 2);
    auto residual = k.add ? normal(hidden.size(), 3, 3) : std::vector<double>(hidden.size(), NAN);
    std::vector<double> bias;
    for (double &h : hidden) h = static_cast<float>(h + k.offset);
    if (k.op == "layer_norm") {
        bias = normal(weight.size(), 4);
        call.set("bias", bias);
    }
    call.set("hidden", hidden);
    call.set("residual", residual);
    call.set("weight", weight);
    call.set_integer("flags", k.add ? 1 : 0);
    call.set_real("eps", 1e-5f);
    EXPECT_EQ(call.run(), "");

    // The sum is rounded to f32 once, as the kernel's residual is.
    for (size_t i = 0; i < hidden.size(); i++)
        if (k.add) hidden[i] = static_cast<float>(hidden[i] + residual[i]);
    EXPECT_EQ(call.get("residual"), hidden);
    auto o = options(k.rounding);
    auto wanted = k.op == "layer_norm" ? oracle::layer_norm(hidden, nullptr, weight, bias, o)
                                       : oracle::rms_norm(hidden, nullptr, weight, o);
    auto y = call.get("y");
    double one_step = o.output == oracle::Rounding::bf16  ? 4e-3
                      : o.output == oracle::Rounding::f16 ? 5e-4
                                                          : 0;
    if (o.normalised != oracle::Rounding::none) one_step *= 2;
    EXPECT_LE(error_of(y, wanted), 5e-7 + one_step + k.tolerance);
    EXPECT_EQ(
        stored(o.output == oracle::Rounding::none ? "f32" : k.rounding.substr(k.rounding.rfind('_') + 1), y),
        y);
    if (!one_step) return; // a different rounding must be rare
    size_t differ = 0;
    for (size_t i = 0; i < y.size(); i++) differ += std::fabs(y[i] - wanted[i]) > 1e-5 * std::fabs(wanted[i]);
    EXPECT_LE(differ, 2 + y.size() / 100);
}

std::vector<std::string> roundings(const std::string &op) {
    if (op == "layer_norm") return {"none", "bf16", "f16"};
    return {"none", "bf16", "f16", "hf_bf16", "hf_f16"};
}

class Norm : public testing::TestWithParam<std::string> {};

TEST_P(Norm, AllShapesAndRoundings) {
    for (const auto &isa : isas())
        for (const auto &rounding : roundings(GetParam()))
            for (int width : {1, 2, 7, 20, 92, 184, 1472})
                for (int rows : {1, 2, 3, 5, 257}) {
                    if (width == 1472 && rows == 257 && rounding != "bf16") continue;
                    check({GetParam(), rounding, isa, rows, width, true, false});
                }
}

TEST_P(Norm, FixedWidths) {
    for (const auto &isa : isas())
        for (int width : {1, 7, 20, 92, 128, 184, 1472})
            check({GetParam(), "none", isa, 3, width, true, true});
}

// Without the flag the old residual is not looked at (here it is NaN).
TEST_P(Norm, FirstLayer) {
    for (const auto &isa : isas())
        for (int width : {7, 92, 1472}) check({GetParam(), "bf16", isa, 3, width, false, false});
}

TEST_P(Norm, WideRowsStayAccurate) {
    for (const auto &isa : isas()) check({GetParam(), "none", isa, 2, 1 << 20, true, false});
}

// The variance of values far from zero: one pass of E[v^2] - mean^2 in f32 would lose all digits.
TEST(LayerNorm, LargeMean) {
    for (const auto &isa : isas()) check({"layer_norm", "none", isa, 3, 184, false, false, 1e5});
}

INSTANTIATE_TEST_SUITE_P(Ops, Norm, testing::Values("rms_norm", "layer_norm"));

} // namespace
} // namespace ks::test
