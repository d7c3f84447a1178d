// SPDX-License-Identifier: Apache-2.0
// The code of the selective scan with its states over lanes: what it is fast by is in the PTX, and in what
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
        EXPECT_EQ(fallback(spec(io, 0)), "in_order"); // any width
        EXPECT_EQ(fallback(spec(io, 1004)), "in_order");
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
        auto usual = usual_specs(op(), base, target);
        ASSERT_EQ(usual.size(), 1u) << io;
        EXPECT_EQ(op().space(usual[0], target).fallback()["execution"], "states_over_lanes") << io;
        EXPECT_TRUE(usual[0].serves(spec(io, 3000))) << io;
    }
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
