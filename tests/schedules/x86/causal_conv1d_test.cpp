// SPDX-License-Identifier: Apache-2.0
// Causal convolution, one sequence and one step, against the double-precision loop.
#include "tests/oracles/causal_conv1d.h"
#include "tests/support/op_call.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {

struct Case {
    std::string io, isa;
    int taps, channels, flags;
    bool fixed;
};

// [rows, columns] -> [columns, rows]
std::vector<double> transposed(const std::vector<double> &v, size_t rows) {
    size_t columns = v.size() / rows;
    std::vector<double> t(v.size());
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) t[c * rows + r] = v[r * columns + c];
    return t;
}

// `count`: steps of one sequence (prefill) or sequences of one step (update).
void check(const Case &k, bool update, int count) {
    SCOPED_TRACE(testing::Message() << k.io << " " << k.isa << " W=" << k.taps << " D=" << k.channels
                                    << " count=" << count << " flags=" << k.flags << " fixed=" << k.fixed
                                    << " update=" << update);
    OpCall call(update ? "causal_conv1d_update" : "causal_conv1d",
                {{"io", k.io}, {"W", std::to_string(k.taps)}},
                {{update ? "S" : "T", count}, {"D", k.channels}}, k.isa, k.fixed);
    auto weight = normal(call.size("weight"), 1), bias = normal(call.size("bias"), 2);
    auto x = stored(k.io, normal(call.size("x"), 3)), state = normal(call.size("state"), 4);
    call.set("weight", weight);
    call.set("bias", bias);
    call.set("x", x);
    call.set("state", state);
    call.set_integer("flags", k.flags);
    EXPECT_EQ(call.run(), "");

    oracle::CausalConv1d wanted;
    wanted.channels = k.channels;
    wanted.width = k.taps;
    wanted.x = x;
    wanted.weight = transposed(weight, static_cast<size_t>(k.taps));
    if (k.flags & 1) wanted.bias = bias;
    wanted.silu = k.flags & 2;
    size_t sequences = update ? static_cast<size_t>(count) : 1, one = state.size() / sequences;
    for (size_t s = 0; s < sequences; s++) {
        auto part = transposed(
            {state.begin() + static_cast<long>(s * one), state.begin() + static_cast<long>((s + 1) * one)},
            static_cast<size_t>(k.taps - 1));
        wanted.state.insert(wanted.state.end(), part.begin(), part.end());
        wanted.seq_start.push_back(update ? static_cast<int>(s) : 0);
    }
    wanted.seq_start.push_back(count);
    auto y = oracle::causal_conv1d(wanted);
    EXPECT_LE(error_of(call.get("y"), y), k.io == "f32" ? 1e-6 : k.io == "bf16" ? 4e-3 : 5e-4);
    std::vector<double> next;
    for (size_t s = 0; s < sequences; s++) {
        auto part = transposed({wanted.state.begin() + static_cast<long>(s * one),
                                wanted.state.begin() + static_cast<long>((s + 1) * one)},
                               static_cast<size_t>(k.channels));
        next.insert(next.end(), part.begin(), part.end());
    }
    EXPECT_EQ(call.get("state"), next);
}

class CausalConv1d : public testing::TestWithParam<bool> {};

TEST_P(CausalConv1d, AllShapesAndStorages) {
    for (const auto &isa : isas())
        for (const char *io : {"f32", "bf16", "f16"})
            for (int taps : {2, 3, 4})
                for (int channels : {1, 2, 7, 20, 92, 184, 1472})
                    for (int count : {1, 2, 3, 5, 257}) {
                        if (channels == 1472 && count == 257 && taps != 4) continue;
                        check({io, isa, taps, channels, 3, false}, GetParam(), count);
                    }
}

TEST_P(CausalConv1d, FixedWidths) {
    for (const auto &isa : isas())
        for (int channels : {1, 20, 92, 1472})
            for (int count : {1, 2, 5, 40}) check({"bf16", isa, 4, channels, 3, true}, GetParam(), count);
}

TEST_P(CausalConv1d, OptionalBiasAndActivation) {
    for (const auto &isa : isas())
        for (int flags : {0, 1, 2}) check({"f32", isa, 4, 37, flags, false}, GetParam(), 6);
}

INSTANTIATE_TEST_SUITE_P(Forms, CausalConv1d, testing::Bool());

// The state is all that a call hands to the next: cutting a sequence anywhere changes nothing, not even a
// bit.
TEST(CausalConv1dState, PiecesGiveTheSameBits) {
    const int T = 9, D = 20;
    auto x = normal(T * D, 3), weight = normal(4 * D, 1);
    auto part = [&](int from, int to, std::vector<double> &state) {
        OpCall call("causal_conv1d", {{"io", "f32"}, {"W", "4"}}, {{"T", to - from}, {"D", D}}, isas()[0],
                    false);
        call.set("weight", weight);
        call.set("x", {x.begin() + from * D, x.begin() + to * D});
        call.set("state", state);
        call.set_integer("flags", 2);
        EXPECT_EQ(call.run(), "");
        state = call.get("state");
        return call.get("y");
    };
    std::vector<double> whole_state(3 * D, 0), whole = part(0, T, whole_state);
    for (int cut = 1; cut < T; cut++) {
        std::vector<double> state(3 * D, 0), y = part(0, cut, state), rest = part(cut, T, state);
        y.insert(y.end(), rest.begin(), rest.end());
        EXPECT_EQ(y, whole) << cut;
        EXPECT_EQ(state, whole_state) << cut;
    }
}

} // namespace
} // namespace ks::test
