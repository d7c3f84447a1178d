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
    EXPECT_EQ(fallback(spec("f32", 2944)), "in_order"); // keeps the accuracy of f32
    EXPECT_EQ(fallback(spec("bf16", 0)), "in_order");   // any width
    EXPECT_EQ(fallback(spec("bf16", 1004)), "in_order");
    Spec s = spec("bf16", 2944);
    EXPECT_TRUE(op().space(s, target).legal(with(s, four_lanes)));
    Spec odd = spec("bf16", 3000); // not a multiple of 64
    EXPECT_FALSE(op().space(odd, target).legal(with(odd, four_lanes)));
    EXPECT_FALSE(op().space(s, target).legal(with(s, {{"execution", "in_order"}, {"lanes", "4"}})));
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
