// SPDX-License-Identifier: Apache-2.0
// What holds for every kernel on a GPU beyond right results: a replayed graph does what the launch does, and
// repeats give the same bits.
#include "runtime/kernels/cuda/timer.h"
#include "tests/runtime/kernels/pack_call.h"
#include "tests/support/op_shapes.h"
#include <map>

namespace ks::test {
namespace {

using Bytes = std::map<std::string, std::vector<uint8_t>>; // of every written operand

class OnDevice : public testing::Test {
  protected:
    void SetUp() override {
        if (std::string why = missing("cuda"); !why.empty()) GTEST_SKIP() << why;
        library_ = library(1, "cuda");
        timer_ = std::make_unique<cuda::Timer>(*library_->device);
    }

    static Bytes written_bytes(const OpProblem &p, const PackCall &call) {
        Bytes bytes;
        for (const auto &o : p.contract->operands)
            if (written(o)) bytes[o.name] = call.bytes(o.name);
        return bytes;
    }

    // Launched once by `go`, on fresh copies of the problem's operands.
    template <typename Go>
    Bytes after(const OpProblem &p, const Go &go) {
        PackCall call(p);
        StagedCall staged(*library_, call.read());
        go(staged);
        staged.fetch();
        return written_bytes(p, call);
    }
    Bytes launched(const OpProblem &p) {
        return after(p,
                     [&](StagedCall &s) { EXPECT_EQ(s.launch(timer_->stream()), KS_OK) << ks_last_error(); });
    }

    // Every kernel of the GPU at a shape with tails.
    template <typename Test>
    void every_kernel(const Test &test) {
        for (const KernelInfo *k : kernels_of("cuda", true)) {
            const Contract &c = contract_of(*k);
            std::vector<int> starts = c.ragged.empty() ? std::vector<int>() : std::vector<int>{0, 1, 40, 133};
            OpProblem p =
                random_problem(c.name, choices_of(*k), dims_at(c, {133, 185, 16, 8, 7}), true, starts);
            SCOPED_TRACE(p.text());
            test(p);
        }
    }

    Library library_{nullptr, ks_destroy};
    std::unique_ptr<cuda::Timer> timer_;
};

TEST_F(OnDevice, AReplayedGraphDoesWhatTheLaunchDoes) {
    every_kernel([&](const OpProblem &p) {
        Bytes direct = launched(p),
              replayed = after(p, [&](StagedCall &s) {
                  timer_->seconds([&] { EXPECT_EQ(s.launch(timer_->stream()), KS_OK) << ks_last_error(); });
              });
        EXPECT_EQ(direct, replayed);
    });
}

TEST_F(OnDevice, RepeatsGiveTheSameBits) {
    every_kernel([&](const OpProblem &p) {
        Bytes first = launched(p);
        for (int i = 0; i < 4; i++) EXPECT_EQ(launched(p), first);
    });
}

} // namespace
} // namespace ks::test
