// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/resources.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks::ptx {
namespace {

const std::string report = R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'scan' for 'sm_90'
ptxas info    : Function properties for scan
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 34 registers, used 1 barriers, 8192 bytes smem, 400 bytes cmem[0]
ptxas info    : Compile time = 19.612 ms
ptxas info    : Compiling entry function '_kernel_y_s0_b_block_id_x' for 'sm_90'
ptxas info    : Function properties for _kernel_y_s0_b_block_id_x
    1604 bytes stack frame, 1604 bytes spill stores, 1528 bytes spill loads
ptxas info    : Used 64 registers, used 0 barriers, 1604 bytes cumulative stack size
)";

TEST(Resources, AreReadForEveryKernel) {
    std::vector<Resources> kernels = parse_resources(report);
    ASSERT_EQ(kernels.size(), 2u);
    EXPECT_EQ(kernels[0], (Resources{"scan", 34, 1, 0, 0, 0, 8192}));
    EXPECT_EQ(kernels[1], (Resources{"_kernel_y_s0_b_block_id_x", 64, 0, 1604, 1604, 1528, 0}));
    EXPECT_TRUE(parse_resources("ptxas info    : 0 bytes gmem\n").empty());
}

TEST(Resources, AMissingLineIsAnError) {
    for (const char *line : {"ptxas info    : Used 34", "    0 bytes stack", "    1604 bytes stack",
                             "ptxas info    : Used 64"}) {
        std::string less = report;
        size_t at = less.find(line);
        ASSERT_NE(at, std::string::npos);
        less.erase(at, less.find('\n', at) + 1 - at);
        EXPECT_THROW(parse_resources(less), Error) << line;
    }
}

} // namespace
} // namespace ks::ptx
