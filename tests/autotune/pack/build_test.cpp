// SPDX-License-Identifier: Apache-2.0
// Which kernels are dropped before any device runs them.
#include "autotune/pack/build.h"
#include <gtest/gtest.h>

namespace ks::pack {
namespace {

ptx::CudaReport report(const std::string &arch, const std::string &unfit = "") { return {arch, {}, unfit}; }

TEST(Refusal, WhereNoArchitectureIsFit) {
    EXPECT_EQ(refusal({}), ""); // of a CPU
    EXPECT_EQ(refusal({report("sm_80"), report("sm_90")}), "");
    EXPECT_EQ(refusal({report("sm_80", "scan on sm_80: too much"), report("sm_90")}), "");
    EXPECT_EQ(refusal({report("sm_80", "scan on sm_80: too much"),
                       report("sm_90", "scan on sm_90: too much")}),
              "scan on sm_90: too much");
}

} // namespace
} // namespace ks::pack
