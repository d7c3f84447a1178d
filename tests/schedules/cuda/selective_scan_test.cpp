// SPDX-License-Identifier: Apache-2.0
// The code of the selective scan with states or time in lanes: what it is fast by is in the PTX, and in what
// ptxas says. Needs no GPU.
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>

namespace ks {
namespace {

const Halide::Target target = kernel_target("cuda");

Spec spec(const std::string &io, int64_t channels) {
    Spec s;
    s.choices["io"] = io;
    if (channels) s.fixed = {{"D", channels}, {"N", 16}};
    return s;
}
const Op &op() { return op_named("selective_scan"); }

Knobs with(const Spec &s, const std::map<std::string, std::string> &values) {
    Knobs k = op().space(s, target).fallback();
    for (const auto &[name, value] : values) k.set(name, value);
    return k;
}
bool legal(const Spec &s, const std::map<std::string, std::string> &values) {
    return op().space(s, target).legal(with(s, values));
}
const std::map<std::string, std::string> four_lanes = {
    {"lanes", "4"}, {"warps", "4"}, {"tile", "16"}, {"polynomial", "8"}, {"position", "7"}};

const std::map<std::string, std::string> four_f32 = {{"lanes", "4"}, {"warps", "4"}, {"tile", "16"}};

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) n++;
    return n;
}

std::string ptx_of(const Spec &s, const Knobs &k) {
    Kernel kernel = op().build(s, k, target);
    std::string ptx = ptx::ptx_of(lower_to_module(kernel, "kernel", target));
    for (const auto &edit : kernel.device.edits) ptx = edit(ptx);
    return ptx::expand_pseudo_calls(ptx, kernel.device.expansions);
}

TEST(CudaSelectiveScan, WhichExecutionServesWhat) {
    auto fallback = [](const Spec &s) { return op().space(s, target).fallback()["execution"]; };
    EXPECT_EQ(fallback(spec("bf16", 2944)), "states_over_lanes");
    EXPECT_EQ(fallback(spec("f16", 3000)), "states_over_lanes");
    EXPECT_EQ(fallback(spec("f32", 2944)), "states_over_lanes");
    for (const char *io : {"f32", "bf16"}) {
        EXPECT_EQ(fallback(spec(io, 0)), "time_in_lanes"); // any width
        EXPECT_EQ(fallback(spec(io, 1004)), "time_in_lanes");
    }
    Spec s = spec("bf16", 2944);
    EXPECT_TRUE(op().space(s, target).legal(with(s, four_lanes)));
    Spec odd = spec("bf16", 3000); // not a multiple of 64
    EXPECT_FALSE(op().space(odd, target).legal(with(odd, four_lanes)));
    EXPECT_FALSE(op().space(s, target).legal(with(s, {{"execution", "in_order"}, {"lanes", "4"}})));
    // What is 2.5e-4 off is for results of 16 bits.
    for (const char *io : {"f32", "f16"}) {
        Spec with_tanh = spec(io, 2944);
        bool legal = op().space(with_tanh, target).legal(with(with_tanh, {{"tanh", "1"}}));
        EXPECT_EQ(legal, std::string(io) == "f16");
    }
}

TEST(CudaSelectiveScan, UsualKernelsOfAllStorages) {
    for (const char *io : {"f32", "bf16", "f16"}) {
        Spec base;
        base.choices["io"] = io;
        auto usual = usual_kernels(op(), base, target);
        ASSERT_EQ(usual.size(), 1u) << io;
        EXPECT_EQ(usual[0].knobs["execution"], "states_over_lanes") << io;
        EXPECT_TRUE(usual[0].spec.serves(spec(io, 3000))) << io;
    }
}

// Its own knobs came later: points of tables from before are without them.
TEST(CudaSelectiveScan, PointsOfTimeInLanes) {
    const std::string time = "time_in_lanes";
    for (const Spec &s : {spec("bf16", 2944), spec("bf16", 0), spec("f32", 1001)}) {
        SCOPED_TRACE(s.text());
        EXPECT_TRUE(legal(s, {{"execution", "in_order"}}));
        EXPECT_TRUE(legal(s, {{"execution", time}}));
        EXPECT_TRUE(legal(s, {{"execution", time}, {"warp_channels", "1"}, {"time_warps", "8"}}));
        EXPECT_TRUE(legal(s, {{"execution", time}, {"thread_states", "2"}, {"registers", "128"}}));
        EXPECT_FALSE(legal(s, {{"execution", time}, {"thread_states", "1"}})) << "the default has no name";
        EXPECT_FALSE(legal(s, {{"execution", time}, {"tile", "16"}}));
        EXPECT_FALSE(legal(s, {{"execution", "in_order"}, {"thread_states", "2"}}));
    }
    EXPECT_TRUE(legal(spec("bf16", 2944), {{"execution", time}, {"tanh", "0"}}));
    EXPECT_FALSE(legal(spec("f32", 2944), {{"execution", time}, {"tanh", "1"}}));
    Spec five = spec("f32", 2944);
    five.fixed["N"] = 5;
    EXPECT_FALSE(legal(five, {{"execution", time}, {"thread_states", "2"}}));
}

// Per tile: an exp a state and step, two for softplus, one for tanh; 16-byte copies in three places.
TEST(CudaSelectiveScan, InstructionsOfEightLanes) {
    std::string ptx = ptx_of(spec("bf16", 3072), with(spec("bf16", 3072), {}));
    EXPECT_EQ(count(ptx, "mma.sync"), 16);    // 32 steps, two a product
    EXPECT_EQ(count(ptx, "cp.async.cg"), 15); // u, dt, z, B, C; two tiles before the loop and one in it
    EXPECT_EQ(count(ptx, "ex2.approx"), 64 + 2 * 4);
    EXPECT_EQ(count(ptx, "lg2.approx"), 2 * 4);
    EXPECT_EQ(count(ptx, "bar.sync"), 3);
    EXPECT_EQ(count(ptx, "ld.local") + count(ptx, "st.local") + count(ptx, "ks_"), 0);
    EXPECT_EQ(count(ptx, "st.global.b16") + count(ptx, "ld.global.nc.b16"), 0); // words only
}

TEST(CudaSelectiveScan, InstructionsOfFourLanes) {
    Spec s = spec("bf16", 3072);
    std::string ptx = ptx_of(s, with(s, four_lanes));
    EXPECT_EQ(count(ptx, "mma.sync"), 32); // 16 steps, two instructions each
    EXPECT_EQ(count(ptx, "cp.async.cg"), 15);
    EXPECT_EQ(count(ptx, "ex2.approx"), 112 + 2 * 8);
    EXPECT_EQ(count(ptx, "0f4B400000"), 2 * 16); // one of eight by the polynomial
    EXPECT_EQ(count(ptx, "ld.local") + count(ptx, "st.local") + count(ptx, "ks_"), 0);
}

// f32: a product of states and weights is done by each lane itself, an mma sums it over the lanes. Words of
// one element: of B and C two copies a thread, of which two tiles are in the text.
TEST(CudaSelectiveScan, InstructionsOfF32) {
    for (bool four : {false, true}) {
        SCOPED_TRACE(four ? "4 lanes" : "8 lanes");
        Spec s = spec("f32", 3072);
        std::string ptx = ptx_of(s, with(s, four ? four_f32 : Knobs().values()));
        EXPECT_EQ(count(ptx, "mma.sync"), 16); // of 16 steps each, of two channels; or of 32, two in one
        EXPECT_EQ(count(ptx, "cp.async.cg"), four ? 3 * 3 * 2 + 2 * 2 : 3 * 3 + 2 * 2 * 2);
        EXPECT_EQ(count(ptx, "tanh.approx") + count(ptx, "lg2.approx"),
                  0); // f32 has its own softplus and silu
        EXPECT_EQ(count(ptx, "bar.sync"), 3);
        EXPECT_EQ(count(ptx, "ld.local") + count(ptx, "st.local") + count(ptx, "ks_"), 0);
        // Results leave by pairs, in the loop and behind it; alone go the states.
        EXPECT_GE(count(ptx, "st.global.b64"), four ? 8 : 4);
        EXPECT_EQ(count(ptx, "st.global.b32"), four ? 8 : 2);
        EXPECT_EQ(count(ptx, "st.global.v"), 0);
    }
}

TEST(CudaSelectiveScan, RegistersOfF32) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    ptx::ScratchFolder folder;
    Spec s = spec("f32", 3072);
    for (bool four : {false, true}) {
        SCOPED_TRACE(four ? "4 lanes" : "8 lanes");
        Kernel kernel = op().build(s, with(s, four ? four_f32 : Knobs().values()), target);
        auto report = ptx::compile_cuda(kernel, "kernel", *ptxas, {{"sm_90"}, false}, folder.path("k.o"));
        const ptx::Resources &r = report.at(0).kernels.at(0);
        EXPECT_LE(r.registers, 168); // 12 warps a multiprocessor
        EXPECT_LE(r.spill_stores, 16);
        EXPECT_LE(r.stack, 16);
    }
}

// A state: an exp a step and one for their product; of a step two for softplus (f32: one) and one for silu.
TEST(CudaSelectiveScan, InstructionsOfTimeInLanes) {
    for (const char *io : {"f32", "bf16", "f16"})
        for (int states : {1, 2}) {
            SCOPED_TRACE(testing::Message() << io << ", states at once: " << states);
            Spec s = spec(io, 1001);
            std::map<std::string, std::string> point = {{"execution", "time_in_lanes"}, {"tanh", "0"}};
            if (states > 1) point["thread_states"] = std::to_string(states);
            std::string ptx = ptx_of(s, with(s, point));
            constexpr int steps = 16, groups_log2 = 3; // four channels in a warp
            EXPECT_EQ(count(ptx, "shfl.sync.up.b32"), states * (2 * groups_log2 - 1));
            EXPECT_EQ(count(ptx, "shfl.sync.idx.b32"), states);
            // silu twice: where all steps of the thread exist, and where not; these may share some
            int silus = count(ptx, "ex2.approx") - states * (steps + 1) - steps;
            EXPECT_GT(silus, steps);
            EXPECT_LE(silus, 2 * steps);
            EXPECT_EQ(count(ptx, "lg2.approx"), s.choice("io") == "f32" ? 0 : steps);
            EXPECT_EQ(count(ptx, "bar.sync"), 4);
            if (s.choice("io") != "f32") { // whose y are words too
                EXPECT_EQ(count(ptx, "st.global.b32"), states);
            }
            EXPECT_EQ(count(ptx, ".local") + count(ptx, "ks_"), 0);
            EXPECT_GE(count(ptx, "ld.shared.v"), 4 * 2) << "16 bytes at a time";
        }
}

// Channels of a thread share what it reads of B and C; so do states none.
TEST(CudaSelectiveScan, ChannelsOfAThreadShareTheLoadsOfWeights) {
    Spec s = spec("f32", 2944);
    auto loads = [&](const std::string &channels, const std::string &states) {
        std::map<std::string, std::string> point = {{"execution", "time_in_lanes"}};
        if (channels != "1") point["thread_channels"] = channels;
        if (states != "1") point["thread_states"] = states;
        return count(ptx_of(s, with(s, point)), "ld.shared.v");
    };
    constexpr int of_weights = 2 * 4, of_a_channel = 3 * 4; // 16 steps; its operands and its sums
    int one = loads("1", "1");
    EXPECT_EQ(loads("1", "2"), one + of_weights);
    EXPECT_EQ(loads("2", "1"), one + of_a_channel);
}

TEST(CudaSelectiveScan, WeightsOfKnownStatesAreReadAsVectors) {
    std::string known = ptx_of(spec("f32", 1001), with(spec("f32", 1001), {})),
                any = ptx_of(spec("f32", 0), with(spec("f32", 0), {}));
    EXPECT_EQ(count(any, "ld.global.nc.v"), 0) << "rows may begin anywhere";
    EXPECT_GT(count(known, "ld.global.nc.v"), 0);
}

TEST(CudaSelectiveScan, RegistersOfTimeInLanes) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    ptx::ScratchFolder folder;
    const std::vector<std::map<std::string, std::string>> points = {
        {},
        {{"registers", "128"}, {"warp_channels", "8"}},
        {{"warp_channels", "1"}, {"time_warps", "8"}, {"thread_states", "2"}, {"registers", "255"}},
        {{"warp_channels", "2"}, {"thread_steps", "8"}, {"thread_states", "2"}},
        {{"warp_channels", "8"}, {"thread_channels", "2"}, {"registers", "255"}}};
    for (const char *io : {"f32", "bf16"})
        for (auto point : points) {
            Spec s = spec(io, 2944);
            point["execution"] = "time_in_lanes";
            Knobs k = with(s, point);
            SCOPED_TRACE(std::string(io) + " " + k.text());
            ASSERT_TRUE(op().space(s, target).legal(k));
            auto report = ptx::compile_cuda(op().build(s, k, target), "kernel", *ptxas, {{"sm_90"}, false},
                                            folder.path("k.o"));
            EXPECT_EQ(report.at(0).unfit, "");
            const ptx::Resources &r = report.at(0).kernels.at(0);
            EXPECT_LE(r.spill_stores + r.spill_loads, 32);
            EXPECT_EQ(r.stack, 0);
        }
}

TEST(CudaSelectiveScan, Registers) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    ptx::ScratchFolder folder;
    for (const char *io : {"bf16", "f16"}) {
        Spec s = spec(io, 3072);
        for (bool four : {false, true}) {
            SCOPED_TRACE(std::string(io) + (four ? " 4 lanes" : " 8 lanes"));
            Kernel kernel = op().build(s, with(s, four ? four_lanes : Knobs().values()), target);
            auto report = ptx::compile_cuda(kernel, "kernel", *ptxas, {{"sm_90"}, false}, folder.path("k.o"));
            const ptx::Resources &r = report.at(0).kernels.at(0);
            EXPECT_LE(r.registers, 168);
            EXPECT_LE(r.spill_stores, four ? 48 : 0);
            EXPECT_LE(r.stack, four ? 48 : 0);
        }
    }
}

} // namespace
} // namespace ks
