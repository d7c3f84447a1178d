// SPDX-License-Identifier: Apache-2.0
// From a schedule to an object with machine code for several architectures, on a machine that may have no
// GPU.
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/program.h"
#include "runtime/base/error.h"
#include "runtime/kernels/cuda/tile_launch.h"
#include "tests/runtime/io/files.h"
#include <filesystem>
#include <gmock/gmock.h>

namespace ks::ptx {
namespace {

using testing::HasSubstr;

std::string tanh(const PseudoCall &c) {
    return "tanh.approx.f32 " + c.result + ", " + c.arguments.at(0) + ";";
}

// y = f(x), for a pseudo-function f; `expansion` is that of ks_tanh.
Kernel pointwise(const std::string &function, const Expansion &expansion = tanh) {
    using namespace Halide;
    ImageParam x(Float(32), 1, "x");
    Var i("i"), block("block"), thread("thread");
    Func y("y");
    y(i) = Internal::Call::make(Float(32), function, {x(i)}, Internal::Call::PureExtern);
    y.gpu_tile(i, block, thread, 64, TailStrategy::GuardWithIf);
    return {{y}, {x}, {}, {{}, {{"ks_tanh", expansion}}, nullptr, 0, ""}};
}

class CudaKernel : public testing::Test {
  protected:
    void SetUp() override {
        ptxas_ = Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
    }
    std::string object() const { return folder_.path("kernel.o"); }
    std::string refused(const Kernel &kernel, const CudaBuild &build) {
        try {
            compile_cuda(kernel, "kernel", *ptxas_, build, object());
        } catch (const Error &e) {
            EXPECT_FALSE(std::filesystem::exists(object()));
            return e.what();
        }
        return "no error";
    }

    std::optional<Ptxas> ptxas_;
    ScratchFolder folder_;
};

size_t cubins_in(const std::string &object) {
    size_t cubins = 0;
    for (size_t at = 1; (at = object.find("\177ELF", at)) != std::string::npos; at++) cubins++;
    return cubins;
}

TEST_F(CudaKernel, TheObjectHoldsCodeForEveryArchitecture) {
    CudaBuild build{{"sm_80", "sm_90"}, true};
    std::vector<CudaReport> reports = compile_cuda(pointwise("ks_tanh"), "kernel", *ptxas_, build, object());
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_EQ(reports[1].arch, "sm_90");
    ASSERT_EQ(reports[1].kernels.size(), 1u);
    EXPECT_EQ(reports[1].kernels[0].spill_stores + reports[1].kernels[0].stack, 0);
    std::string bytes = test::read_all(object());
    EXPECT_NE(bytes.find(std::string("KSCUDA01")), std::string::npos);
    EXPECT_NE(bytes.find("tanh.approx.f32"), std::string::npos); // the fall-back text
    EXPECT_EQ(cubins_in(bytes), 2u);
}

TEST_F(CudaKernel, WhereItSpillsMuchThereIsOnlyItsText) {
    CudaBuild build{{"sm_80", "sm_90"}, true, -1}; // any kernel spills more
    std::vector<CudaReport> reports = compile_cuda(pointwise("ks_tanh"), "kernel", *ptxas_, build, object());
    ASSERT_EQ(reports.size(), 2u);
    EXPECT_THAT(reports[0].unfit, HasSubstr("on sm_80: spills 0 bytes of its"));
    std::string bytes = test::read_all(object());
    EXPECT_NE(bytes.find("tanh.approx.f32"), std::string::npos);
    EXPECT_EQ(cubins_in(bytes), 0u);
}

// y = 2 x by way of `rows` rows of 64 floats in shared memory, which is dynamic; a block has 64 threads.
Kernel staged(int rows) {
    using namespace Halide;
    ImageParam x(Float(32), 1, "x");
    Var i("i"), r("r"), block("block"), thread("thread");
    Func stage("stage"), y("y");
    stage(i, r) = x(i) + cast<float>(r);
    y(i) = stage(i, 0) + stage(i, rows - 1);
    y.gpu_tile(i, block, thread, 64, TailStrategy::RoundUp); // else the extent of y decides about its bytes
    stage.compute_at(y, block).store_in(MemoryType::GPUShared).gpu_threads(i);
    return {{y}, {x}, {}};
}

TEST_F(CudaKernel, TheReportSaysWhereNoBlockCanBeLaunched) {
    auto unfit = [&](const Kernel &kernel) {
        auto reports = compile_cuda(kernel, "kernel", *ptxas_, {{"sm_80", "sm_90"}, false}, object());
        EXPECT_EQ(reports.size(), 2u);
        return std::vector<std::string>{reports.at(0).unfit, reports.at(1).unfit};
    };
    EXPECT_THAT(unfit(pointwise("ks_tanh")), testing::ElementsAre("", ""));
    EXPECT_THAT(unfit(staged(4)), testing::ElementsAre("", ""));
    EXPECT_THAT(unfit(staged(800)),
                testing::ElementsAre(HasSubstr("sm_80: 204800 bytes of shared memory"), ""));
    EXPECT_THAT(unfit(staged(1024)), testing::ElementsAre(HasSubstr("on sm_80: 262144 bytes"),
                                                          HasSubstr("on sm_90: 262144 bytes")));
    Kernel beside = staged(800); // what the launcher adds to a launch
    beside.device.launch = [](const std::string &) {
        cuda::TileLaunch tile{40000, 0, {}};
        auto *bytes = reinterpret_cast<const uint8_t *>(&tile);
        return std::vector<uint8_t>(bytes, bytes + sizeof tile);
    };
    EXPECT_THAT(unfit(beside), testing::ElementsAre(HasSubstr("244800 bytes"), HasSubstr("244800 bytes")));
}

// The five that the launcher brings, and nothing of Halide's runtime.
TEST_F(CudaKernel, TheObjectNeedsTheLauncherAlone) {
    compile_cuda(pointwise("ks_tanh"), "kernel", *ptxas_, {{"sm_90"}, false}, object());
    std::istringstream lines(
        run_program({"nm", "--undefined-only", "--format=just-symbols", object()}).output);
    std::vector<std::string> needed;
    for (std::string line; std::getline(lines, line);) needed.push_back(line);
    EXPECT_THAT(needed, testing::UnorderedElementsAre("ks_cuda_copy_to_device", "ks_cuda_device_interface",
                                                      "ks_cuda_finalize_kernels",
                                                      "ks_cuda_initialize_kernels", "ks_cuda_run"));
}

TEST_F(CudaKernel, WhatIsNotWholeIsRefused) {
    CudaBuild build{{"sm_90"}, true};
    EXPECT_THAT(refused(pointwise("ks_other"), build), HasSubstr("ks_other"));
    EXPECT_THAT(refused(pointwise("not_anywhere"), build), HasSubstr("not_anywhere"));
    auto unknown = [](const PseudoCall &) { return std::string("no.such.instruction;"); };
    EXPECT_THAT(refused(pointwise("ks_tanh", unknown), build), HasSubstr("no.such.instruction"));
    Halide::Func cpu("cpu");
    Halide::Var i;
    cpu(i) = i;
    EXPECT_THAT(refused({{cpu}, {}, {}}, build), HasSubstr("no device code"));
}

} // namespace
} // namespace ks::ptx
