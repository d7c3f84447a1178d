// SPDX-License-Identifier: Apache-2.0
// What a shipped GPU kernel may use of local memory, known without a GPU: a few spilled registers, no arrays.
#pragma once
#include "dsl/ptx/cuda_kernel.h"
#include "dsl/ptx/program.h"
#include <gtest/gtest.h>

namespace ks::test {

// Of all architectures that the kernel is built for, or those given; the reports, for what else is expected of
// them.
inline std::vector<ptx::CudaReport> expect_few_spills(const Kernel &kernel, const ptx::Ptxas &ptxas,
                                                      const std::vector<std::string> &archs = {}) {
    ptx::ScratchFolder folder;
    ptx::CudaBuild build = ptx::build_for(kernel.device, ptxas);
    if (!archs.empty() && kernel.device.arch.empty()) build.archs = archs;
    auto reports = ptx::compile_cuda(kernel, "kernel", ptxas, build, folder.path("kernel.o"));
    EXPECT_EQ(reports.size(), build.archs.size());
    for (const auto &report : reports)
        for (const ptx::Resources &r : report.kernels) {
            EXPECT_LE(r.spill_stores, 32) << report.arch;
            EXPECT_LE(r.stack, (r.spill_stores + 7) / 8 * 8) << report.arch << ": arrays in local memory";
        }
    return reports;
}

} // namespace ks::test
