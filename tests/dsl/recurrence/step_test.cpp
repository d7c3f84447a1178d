// SPDX-License-Identifier: Apache-2.0
// Execution "step": every group size, sequences in parallel, and what it refuses.
#include "dsl/recurrence/step.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/jit_kernel.h"

namespace ks::test {
namespace {
using namespace Halide;

constexpr int D = 45, S = 5;

void run(int states, int group, bool constant, const std::string &isa = "avx2", bool parallel = false) {
    SCOPED_TRACE(testing::Message() << states << " states by " << group << (constant ? "" : " (any)") << " "
                                    << isa << " parallel " << parallel);
    Averages a(constant ? states : 0, true);
    Step step(a.r, group, {}, "read");
    a.consume(step.out.func);
    Var block, i;
    a.y.split(a.r.channel, block, i, 16, TailStrategy::GuardWithIf);
    if (parallel) a.y.parallel(a.r.time);
    step.out.func.compute_at(a.y, block)
        .store_in(MemoryType::Stack)
        .bound_storage(a.r.channel, 16)
        .bound_storage(a.r.time, 1);
    Target target = kernel_target(isa);
    step.out.vectorise(target.natural_vector_size<float>(), 1);
    step.check(a.y);
    JitKernel kernel(a.kernel(step.pass), target);
    AveragesCall call(D, states, S, true);
    ASSERT_EQ(kernel(call.arguments()), 0);
    call.expect_exact();
}

TEST(Step, EveryGroup) {
    for (int group = 1; group <= 16; group++) {
        run(5, group, true);
        run(17, group, false);
    }
}

TEST(Step, ManyStatesAndFew) {
    for (bool constant : {true, false})
        for (int states : {1, 2, 3, 64}) run(states, 16, constant);
    run(256, 16, false);
}

TEST(Step, WideVectors) {
    if (!cpu_runs("avx512")) GTEST_SKIP() << "this CPU has no avx512";
    for (bool constant : {true, false}) run(6, 4, constant, "avx512");
}

TEST(Step, SequencesMayRunInParallel) { run(6, 4, true, "avx2", true); }

TEST(Step, RefusesTailsThatUpdateTwice) {
    for (bool sequences : {true, false})
        for (TailStrategy tail : {TailStrategy::ShiftInwards, TailStrategy::RoundUp, TailStrategy::Auto}) {
            Averages a(4, true);
            Step step(a.r, 4, {}, "read");
            a.consume(step.out.func);
            Var outer, inner;
            a.y.split(sequences ? a.r.time : a.r.channel, outer, inner, 8, tail);
            expect_refused("step execution of read", [&] { step.check(a.y); });
            expect_refused(sequences ? "split of t" : "split of d", [&] { step.check(a.y); });
        }
}

TEST(Step, SeesTheTailsOfSpecialisationsToo) {
    Averages a(4, true);
    Step step(a.r, 4, {}, "read");
    a.consume(step.out.func);
    Var outer, inner;
    a.y.specialize(a.count > 4).split(a.r.channel, outer, inner, 8, TailStrategy::RoundUp);
    expect_refused("split of d", [&] { step.check(a.y); });
    expect_refused("split of d", [&] { step.check(a.y, 12); });
    EXPECT_NO_THROW(step.check(a.y, 16)) << "8 divides their number";
}

TEST(Step, KnowsWhatASplitByADivisorLeaves) {
    Averages a(4, true);
    Step step(a.r, 4, {}, "read");
    a.consume(step.out.func);
    Var v, outer, inner;
    a.y.split(a.r.channel, a.r.channel, v, 4, TailStrategy::RoundUp)
        .split(a.r.channel, outer, inner, 8, TailStrategy::RoundUp);
    expect_refused("split of d", [&] { step.check(a.y, 8); });
    EXPECT_NO_THROW(step.check(a.y, 32));
}

TEST(Step, RefusesAnInlinedReadOut) {
    Averages a(4, true);
    Step step(a.r, 4, {}, "read");
    a.consume(step.out.func);
    expect_refused("no state was updated",
                   [&] { lower_to_module(a.kernel(step.pass), "k", kernel_target("avx2")); });
}

} // namespace
} // namespace ks::test
