// SPDX-License-Identifier: Apache-2.0
// Calls in memory: arguments in kernel order, parts as the runtime cuts them, copies, operands that are
// missing.
#include "autotune/cases/call.h"
#include "schedules/registry.h"
#include "tests/support/forwarded_device.h"
#include <cstring>
#include <gtest/gtest.h>

namespace ks::cases {
namespace {

tune::Device &cpu() { return tune::device_for("avx2"); }

Call linear(const Dims &dims, bool options = true, Copies copies = {}) {
    const Contract &c = op_named("linear").contract;
    return {random_problem(c, {{"io", "f32"}, {"out", "f32"}, {"weight", "bf16"}, {"panel", "16"}}, dims,
                           options),
            cpu(), copies};
}

const KernelBuffer &buffer(void **arguments, int i) { return *static_cast<KernelBuffer *>(arguments[i]); }

TEST(Call, ArgumentsAreInKernelOrder) {
    Call call = linear({{"M", 3}, {"K", 5}, {"P", 4}});
    void **a = call.arguments();
    EXPECT_EQ(buffer(a, 0).dimensions, 2); // x
    EXPECT_EQ(buffer(a, 1).dimensions, 3); // w
    EXPECT_EQ(buffer(a, 1).type.bits, 16);
    EXPECT_EQ(buffer(a, 1).type.code, kernel_uint);
    EXPECT_EQ(buffer(a, 1).dim[0].extent, 16);
    EXPECT_EQ(buffer(a, 1).dim[1].stride, 16);
    EXPECT_EQ(buffer(a, 2).dimensions, 2); // bias
    EXPECT_EQ(*static_cast<int32_t *>(a[3]), 1);
    EXPECT_EQ(buffer(a, 4).dim[2].extent, 3); // y
    EXPECT_EQ(buffer(a, 4).dim[2].stride, 64);
    float first;
    std::memcpy(&first, buffer(a, 0).host, 4);
    EXPECT_EQ(first, call.problem().in.at("x")[0]);
}

TEST(Call, AMissingOperandIsStoodInFor) {
    Call call = linear({{"M", 3}, {"K", 5}, {"P", 4}}, false);
    void **a = call.arguments();
    EXPECT_EQ(buffer(a, 2).host, buffer(a, 1).host);
    EXPECT_EQ(buffer(a, 2).dimensions, 3);
    EXPECT_EQ(*static_cast<int32_t *>(a[3]), 0);
}

TEST(Call, PartsCoverTheSliceAndShiftItsOperands) {
    Call call = linear({{"M", 3}, {"K", 5}, {"P", 5}});
    auto parts = call.parts(2);
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(parts[0].length, 3);
    EXPECT_EQ(parts[1].first, 3);
    EXPECT_EQ(parts[1].length, 2);
    const uint8_t *w = buffer(call.arguments(), 1).host, *y = buffer(call.arguments(), 4).host,
                  *x = buffer(call.arguments(), 0).host;
    void **a = call.arguments(parts[1]);
    EXPECT_EQ(buffer(a, 0).host, x);
    EXPECT_EQ(buffer(a, 1).host - w, 3 * 5 * 16 * 2);
    EXPECT_EQ(buffer(a, 1).dim[2].extent, 2);
    EXPECT_EQ(buffer(a, 4).host - y, 3 * 16 * 4);
    EXPECT_EQ(buffer(a, 4).dim[1].extent, 2);
    EXPECT_EQ(buffer(a, 4).dim[2].stride, 5 * 16);
    EXPECT_EQ(linear({{"M", 3}, {"K", 5}, {"P", 1}}).parts(2).size(), 1u);
}

// Memory of the host on a device that takes all sequences in one call.
struct Packing : test::ForwardedDevice {
    Packing() : ForwardedDevice(cpu()) {}
    bool packed() override { return true; }
};

// Else the grid of a batch of 8 would be 8 times too large, and its time with it.
TEST(Call, AnOutputOfEqualSequencesReachesAsFarAsOneOfThem) {
    Packing device;
    Call call(random_problem(op_named("causal_conv1d").contract, {{"io", "f32"}, {"W", "4"}},
                             {{"T", 24}, {"D", 5}}, true, {0, 8, 16, 24}),
              device);
    void **a = call.arguments(); // x, w, bias, state, seq_start, flags, equal_steps, alignment, y
    EXPECT_EQ(buffer(a, 0).dim[1].extent, 24);
    EXPECT_EQ(*static_cast<int32_t *>(a[6]), 8);
    const KernelBuffer &y = buffer(a, 8);
    ASSERT_EQ(y.dimensions, 3);
    EXPECT_EQ(y.dim[0].extent, 5);
    EXPECT_EQ(y.dim[1].extent, 8);
    EXPECT_EQ(y.dim[2].extent, 3);
    EXPECT_EQ(y.dim[2].stride, 0);
}

TEST(Call, GranulesAreNotCut) {
    for (const Op &op : all_ops()) {
        const Contract &c = op.contract;
        if (c.granule == 1) continue;
        Dims dims;
        for (const auto &d : c.dims) dims[d.name] = std::min<int64_t>(d.high, 8);
        dims[c.slice] = 3 * c.granule + 1;
        std::map<std::string, std::string> choices;
        for (const auto &[name, values] : c.choices) choices[name] = values[0];
        auto parts = Call(random_problem(c, choices, dims), cpu()).parts(2);
        ASSERT_EQ(parts.size(), 2u) << c.name;
        EXPECT_EQ(parts[0].length, 2 * c.granule);
        EXPECT_EQ(parts[1].length, c.granule + 1);
    }
}

TEST(Call, TurnsGoThroughTheCopies) {
    Call call = linear({{"M", 1}, {"K", 5}, {"P", 4}}, true, {3, 1});
    std::vector<const uint8_t *> at;
    for (int i = 0; i < 4; i++) at.push_back(buffer(call.next(), 1).host);
    EXPECT_EQ(at[0], at[3]);
    EXPECT_NE(at[0], at[1]);
    EXPECT_EQ(std::memcmp(at[0], at[1], 5 * 4 * 16 * 2), 0);
    EXPECT_EQ(std::memcmp(at[0], at[2], 5 * 4 * 16 * 2), 0);
    EXPECT_EQ(buffer(call.next(), 0).host, buffer(call.next(), 0).host);
}

TEST(Call, WhatWasWrittenIsPutBack) {
    Call call = linear({{"M", 1}, {"K", 5}, {"P", 4}});
    Values before = call.result("y");
    std::memset(buffer(call.arguments(), 4).host, 0, 64);
    EXPECT_NE(call.result("y"), before);
    EXPECT_EQ(call.damage(), "");
    call.reset();
    EXPECT_EQ(call.result("y"), before);
    buffer(call.arguments(), 0).host[2] ^= 1;
    EXPECT_EQ(call.damage(), "x, an input, was written to");
}

} // namespace
} // namespace ks::cases
