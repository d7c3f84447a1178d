// SPDX-License-Identifier: Apache-2.0
// Values of other lanes: what they become in the PTX, and what is refused. What they compute, the tests of
// the scan check on a GPU.
#include "dsl/kernel.h"
#include "dsl/lower/shuffle_pass.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;

// y is what the lane before holds, of warps that are the threads of a block.
struct Before {
    ImageParam x{Float(32), 1, "x"};
    Var d{"d"}, block{"block"}, i{"i"};
    Func own{"own"}, before{"before"}, y{"y"};

    explicit Before(const Expr &lane = Var("d") % 32) {
        own(d) = x(d) * 2.f;
        before(d) = shuffle_up(own(d), lane, 1) + shuffle_around(own(d), lane, 1);
    }
    std::string text(int threads = 32) {
        y.output_buffer().dim(0).set_min(0);
        y.split(d, block, i, threads, TailStrategy::RoundUp).gpu_blocks(block).gpu_threads(i);
        for (Func f : {own, before}) f.compute_at(y, i).store_in(MemoryType::Stack);
        return device_text({{y}, {x}, {std::make_shared<ShufflePass>()}});
    }
    void refused(const std::string &assumption, int threads = 32) {
        expect_refused(assumption, [&] { text(threads); });
    }
};

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) n++;
    return n;
}

TEST(ShufflePass, IsAnInstructionForTheWholeWarp) {
    Before b;
    b.y(b.d) = b.before(b.d);
    std::string ptx = b.text();
    EXPECT_EQ(count(ptx, "shfl.sync.up.b32"), 1);
    EXPECT_EQ(count(ptx, "shfl.sync.idx.b32"), 1);
    EXPECT_EQ(count(ptx, ", 1, 0, -1;"), 1) << "all lanes take part";
    EXPECT_EQ(count(ptx, ", 31, -1;"), 1);
}

TEST(ShufflePass, BothSidesOfASelectionAreWorkedOut) {
    Before b;
    b.y(b.d) = select_by_lane(b.d % 32 == 0, 0.f, b.before(b.d));
    EXPECT_EQ(count(b.text(), "shfl"), 2);
}

// Halide computes `before` only in the lanes whose select() wants it.
TEST(ShufflePass, RefusesWhereNotAllLanesComeBy) {
    Before b;
    b.y(b.d) = select(b.d % 32 == 0, 0.f, b.before(b.d));
    b.refused("not all lanes");
}

TEST(ShufflePass, RefusesStepsThatSomeLanesSkip) {
    Before b;
    RDom r(0, 32);
    r.where(r <= b.d % 32);
    b.y(b.d) = 0.f;
    b.y(b.d) += b.before(b.d) * cast<float>(r);
    b.y.update().split(b.d, b.block, b.i, 32, TailStrategy::RoundUp).reorder(r, b.i, b.block);
    b.y.update().gpu_blocks(b.block).gpu_threads(b.i);
    b.y.output_buffer().dim(0).set_min(0);
    b.y.split(b.d, b.block, b.i, 32, TailStrategy::RoundUp).gpu_blocks(b.block).gpu_threads(b.i);
    b.before.compute_at(b.y, r).store_in(MemoryType::Stack);
    expect_refused("not all lanes", [&] { device_text({{b.y}, {b.x}, {std::make_shared<ShufflePass>()}}); });
}

TEST(ShufflePass, RefusesAThreadThatIsInAnotherLane) {
    Before b((Var("d") + 1) % 32);
    b.y(b.d) = b.before(b.d);
    b.refused("a thread is not in the lane");
}

TEST(ShufflePass, RefusesABlockWhoseRowsAreNoWarps) {
    Before b;
    b.y(b.d) = b.before(b.d);
    b.refused("is not a warp", 64);
}

TEST(ShufflePass, RefusesAKernelWithoutShuffles) {
    Before b;
    b.y(b.d) = b.own(b.d);
    b.refused("no thread asks");
}

} // namespace
} // namespace ks::test
