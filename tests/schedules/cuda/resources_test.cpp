// SPDX-License-Identifier: Apache-2.0
// What every kernel for CUDA must be, known without a GPU: machine code for every architecture, no local
// memory, nothing left to be resolved.
#include "schedules/registry.h"
#include "tests/support/gpu_resources.h"
#include <gtest/gtest.h>

namespace ks {
namespace {

class CudaResources : public testing::Test {
  protected:
    void SetUp() override {
        ptxas_ = ptx::Ptxas::find();
        if (!ptxas_) GTEST_SKIP() << "there is no ptxas on this machine";
    }

    void check(const Op &op, const Spec &spec, const Knobs &knobs) {
        SCOPED_TRACE(op.contract.name + " " + spec.text() + " {" + knobs.text() + "}");
        auto reports = test::expect_few_spills(op.build(spec, knobs, target_), *ptxas_);
        for (const auto &report : reports) {
            // One for each launch, and for each of the forms that a launch was specialised into, of which the
            // host picks: most ops are one launch, router and Sinkhorn up to three.
            ASSERT_GE(report.kernels.size(), 1u) << report.arch;
            ASSERT_LE(report.kernels.size(), 4u) << report.arch;
            for (const ptx::Resources &r : report.kernels) {
                EXPECT_EQ(r.stack, 0) << report.arch;
                EXPECT_LE(r.spill_stores + r.spill_loads, 32) << report.arch;
            }
        }
    }

    std::optional<ptx::Ptxas> ptxas_;
    Halide::Target target_ = kernel_target("cuda");
};

TEST_F(CudaResources, BaseAndUsualKernels) {
    int kernels = 0;
    for (const Op &op : all_ops())
        for (const Spec &base : base_specs(op, target_)) {
            check(op, base, op.space(base, target_).fallback());
            for (const UsualKernel &usual : usual_kernels(op, base, target_))
                check(op, usual.spec, usual.knobs);
            kernels++;
        }
    EXPECT_GT(kernels, 0);
}

// With the widths of BlackMamba 1.5B.
TEST_F(CudaResources, KernelsWithFixedWidths) {
    const Dims widths = {{"D", 2944}, {"N", 16}, {"H", 1472}, {"K", 1472}};
    for (const Op &op : all_ops()) {
        if (!op.has_schedule(target_)) continue;
        Spec spec = base_specs(op, target_).at(0);
        for (const auto &d : op.contract.dims)
            if (d.width && widths.count(d.name)) spec.fixed[d.name] = widths.at(d.name);
        check(op, spec, op.space(spec, target_).fallback());
    }
}

} // namespace
} // namespace ks
