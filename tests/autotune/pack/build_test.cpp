// SPDX-License-Identifier: Apache-2.0
// Which kernels are dropped before any device runs them.
#include "autotune/pack/build.h"
#include <gtest/gtest.h>

namespace ks::pack {
namespace {

ptx::CudaReport report(const std::string &arch, int spill_stores, const std::string &unfit = "") {
    ptx::Resources r;
    r.kernel = "scan", r.registers = 128, r.spill_stores = spill_stores;
    return {arch, {r}, unfit};
}

TEST(Refusal, OfSpillsOnAnyArchitecture) {
    EXPECT_EQ(refusal({report("sm_80", 32), report("sm_90", 0)}), "");
    EXPECT_EQ(refusal({report("sm_80", 0), report("sm_90", 36)}),
              "scan on sm_90: spills 36 bytes of its 128 registers");
}

TEST(Refusal, WhereNoArchitectureCanLaunchABlock) {
    EXPECT_EQ(refusal({report("sm_80", 0, "scan on sm_80: too much"), report("sm_90", 0)}), "");
    EXPECT_EQ(refusal({report("sm_80", 0, "scan on sm_80: too much"),
                       report("sm_90", 0, "scan on sm_90: too much")}),
              "scan on sm_90: too much");
}

} // namespace
} // namespace ks::pack
