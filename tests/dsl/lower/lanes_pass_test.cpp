// SPDX-License-Identifier: Apache-2.0
// Lanes of an iteration: what they become in the PTX, and what is refused. What they compute, the tests of
// the ops that use them check on a GPU.
#include "dsl/kernel.h"
#include "dsl/lower/lanes_pass.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>
#include <regex>

namespace ks::test {
namespace {
using namespace Halide;

// y is the sum over the lanes of a thread's `staged` value times the lane.
struct Sums {
    static constexpr int lanes = 4, threads = 32;
    ImageParam x{Float(32), 1, "x"};
    Var d{"d"}, block{"block"}, i{"i"}, v{"v"};
    Func staged{"staged"}, y{"y"};

    Sums() {
        staged(d) = x(d) * 2.f;
        y(d) = lane_sum(staged(d) * cast<float>(lane_of(d, lanes)), lanes);
    }
    Kernel kernel() {
        return {{y}, {x}, {std::make_shared<LanesPass>(lanes)}, {{}, lane_expansions(), nullptr, 0, ""}};
    }
};

long count(const std::string &text, const std::string &pattern) {
    std::regex r(pattern);
    return std::distance(std::sregex_iterator(text.begin(), text.end(), r), {});
}

TEST(LanesPass, AddsUpInTwoStepsUnderAConstantMask) {
    Sums sums;
    sums.y.gpu_tile(sums.d, sums.block, sums.i, Sums::threads, TailStrategy::GuardWithIf);
    std::string ptx = device_text(sums.kernel());
    EXPECT_EQ(count(ptx, "shfl\\.sync\\.bfly\\.b32 [^;]*, 31, 0xffffffff;"), 2);
    EXPECT_EQ(count(ptx, "shfl"), 2);
}

TEST(LanesPass, EachElementOfAVectorHasItsSum) {
    Sums sums;
    sums.y.split(sums.d, sums.d, sums.v, 4, TailStrategy::RoundUp)
        .vectorize(sums.v)
        .gpu_tile(sums.d, sums.block, sums.i, Sums::threads, TailStrategy::GuardWithIf);
    EXPECT_EQ(count(device_text(sums.kernel()), "shfl"), 2 * 4);
}

TEST(LanesPass, RefusesABarrierAmongTheThreads) {
    Sums sums;
    sums.y.gpu_tile(sums.d, sums.block, sums.i, Sums::threads, TailStrategy::GuardWithIf);
    sums.staged.compute_at(sums.y, sums.block).store_in(MemoryType::GPUShared).gpu_threads(sums.d);
    expect_refused("a barrier", [&] { device_text(sums.kernel()); });
}

TEST(LanesPass, RefusesThreadsThatDoNotFillItsWarps) {
    Sums sums;
    sums.y.gpu_tile(sums.d, sums.block, sums.i, 12, TailStrategy::GuardWithIf);
    expect_refused("not a multiple", [&] { device_text(sums.kernel()); });
}

TEST(LanesPass, RefusesKernelsThatAskForNoLane) {
    Sums sums;
    Func plain("plain");
    plain(sums.d) = sums.x(sums.d);
    plain.gpu_tile(sums.d, sums.block, sums.i, Sums::threads, TailStrategy::GuardWithIf);
    expect_refused("no loop", [&] {
        device_text({{plain}, {sums.x}, {std::make_shared<LanesPass>(Sums::lanes)}});
    });
}

} // namespace
} // namespace ks::test
