// SPDX-License-Identifier: Apache-2.0
// How the kernels that memory bounds read and write it: widths and numbers of accesses in their PTX.
#include "dsl/ptx/cuda_kernel.h"
#include "schedules/registry.h"
#include <gtest/gtest.h>
#include <regex>

namespace ks {
namespace {

// The kernels of an op in the PTX, in the order of the text.
std::vector<std::string> kernels(const std::string &op, const Spec &spec) {
    Halide::Target target = kernel_target("cuda");
    Kernel kernel = op_named(op).build(spec, op_named(op).space(spec, target).fallback(), target);
    std::string ptx = ptx::ptx_of(lower_to_module(kernel, "kernel", target));
    std::vector<std::string> parts;
    for (size_t at = ptx.find(".entry"); at != std::string::npos;) {
        size_t next = ptx.find(".entry", at + 1);
        parts.push_back(ptx.substr(at, next - at));
        at = next;
    }
    return parts;
}

// How often `pattern` is in the kernel that has it most.
long most(const std::vector<std::string> &parts, const std::string &pattern) {
    long best = 0;
    std::regex r(pattern);
    for (const std::string &part : parts)
        best = std::max<long>(best, std::distance(std::sregex_iterator(part.begin(), part.end(), r), {}));
    return best;
}

TEST(CudaMemoryAccess, TheAlignedConvolutionHasOneAccessForAllChannelsOfAThread) {
    auto parts = kernels("causal_conv1d", {{{"io", "bf16"}, {"W", "4"}}, {}});
    ASSERT_EQ(parts.size(), 3u); // aligned, of equal sequences or of others, or not aligned
    long wide = 0;
    for (const std::string &part : parts) {
        if (most({part}, "st\\.global\\.b16")) continue;
        wide++;
        EXPECT_GE(most({part}, "ld\\.global\\.nc\\.(v2\\.b16|b32)"), 11); // the window of 8 steps
        EXPECT_GE(most({part}, "st\\.global\\.b32"), 8);
        EXPECT_GE(most({part}, "ks_bf16x2"), 8);
    }
    EXPECT_EQ(wide, 2);
}

// Where a tile neither begins nor ends its sequence, what it loads it asks for in one go: no index is clamped
// and no branch chooses between the state and x.
TEST(CudaMemoryAccess, TheConvolutionLoadsWithoutTestsInsideASequence) {
    for (const std::string &part : kernels("causal_conv1d", {{{"io", "bf16"}, {"W", "4"}}, {}})) {
        bool found = false;
        for (size_t from = 0, to; from != std::string::npos && !found; from = to) { // blocks between labels
            to = part.find("\n$L__", from + 1);
            std::string block = part.substr(from, to - from);
            found = most({block}, "ld\\.global\\.nc") >= 11 + 5 && most({block}, "(min|max)\\.s32") == 0;
        }
        EXPECT_TRUE(found);
    }
}

// Before the first store of a state stand the loads of all: nothing waits for memory twice.
TEST(CudaMemoryAccess, TheStateUpdateLoadsBeforeItStores) {
    auto parts = kernels("selective_state_update", {{{"io", "bf16"}}, {}});
    ASSERT_EQ(parts.size(), 4u); // few channels or many, 16 states or any number
    bool found = false;
    for (const std::string &part : parts) {
        size_t stores = part.find("st.global"), last_load = part.rfind("ld.global");
        found = found || last_load < stores;
    }
    EXPECT_TRUE(found);
}

// Four channels a thread where rows are aligned: states and A by 16 bytes, operands of 16 bits by 8, and that
// again before any store.
TEST(CudaMemoryAccess, TheStateUpdateOfAlignedRowsHasWideAccesses) {
    for (const char *io : {"bf16", "f16", "f32"}) {
        SCOPED_TRACE(io);
        auto parts = kernels("selective_state_update", {{{"io", io}}, {{"N", 16}}, {{"D", 8}}});
        ASSERT_EQ(parts.size(), 2u); // few channels or many
        bool found = false;
        for (const std::string &part : parts) {
            if (most({part}, "st\\.global\\.v4\\.b32") < 4) continue;
            found = true;
            EXPECT_EQ(most({part}, "st\\.global"), 4 + 1);
            EXPECT_GE(most({part}, "ld\\.global\\.(nc\\.)?v4\\.b32"), 4 + 4);
            EXPECT_GE(most({part}, "ld\\.global\\.nc\\.(v4\\.b16|v2\\.b32|v4\\.b32)"), 3);
            EXPECT_LT(part.rfind("ld.global"), part.find("st.global"));
        }
        EXPECT_TRUE(found);
    }
}

} // namespace
} // namespace ks
