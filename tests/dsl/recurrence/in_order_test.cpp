// SPDX-License-Identifier: Apache-2.0
// Execution "in order": every group size, vectors in flight, instruction sets, and what it refuses.
#include "dsl/recurrence/in_order.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/jit_kernel.h"

namespace ks::test {
namespace {
using namespace Halide;

constexpr int D = 45, T = 21, tile_steps = 8; // five vectors of 8 and a part of one; two tiles and a part

struct Plan {
    std::string isa = "avx2";
    int vectors = 1;
    bool prefetch = false;
};

void run(int states, int group, bool constant, const Plan &plan = {}) {
    SCOPED_TRACE(testing::Message() << states << " states by " << group << (constant ? "" : " (any)") << " "
                                    << plan.isa << " vectors " << plan.vectors << " prefetch "
                                    << plan.prefetch);
    Averages a(constant ? states : 0, false);
    std::vector<Ahead> ahead;
    if (plan.prefetch) ahead.push_back({a.x(a.r.channel, a.r.time), tile_steps * a.x.dim(1).stride()});
    InOrder scan(a.r, group, ahead, "read");
    a.consume(scan.out.func);
    Var tile, t;
    a.y.split(a.r.time, tile, t, tile_steps, TailStrategy::GuardWithIf).reorder(a.r.channel, t, tile);
    scan.out.func.compute_at(a.y, tile)
        .store_in(MemoryType::Stack)
        .bound_storage(a.r.channel, 64)
        .bound_storage(a.r.time, tile_steps);
    Target target = kernel_target(plan.isa);
    scan.out.vectorise(target.natural_vector_size<float>(), plan.vectors);
    scan.check(a.y);
    JitKernel kernel(a.kernel(scan.pass), target);
    AveragesCall call(D, states, T, false);
    ASSERT_EQ(kernel(call.arguments()), 0);
    call.expect_exact();
}

TEST(InOrder, EveryGroup) {
    for (int group = 1; group <= 16; group++) {
        run(5, group, true); // one stage, or several with a rest
        run(17, group, false);
    }
}

TEST(InOrder, ManyStates) {
    run(64, 16, true);
    run(256, 16, true);
    run(64, 16, false);
    run(256, 16, false);
    run(256, 1, false);
}

TEST(InOrder, FewerStatesThanAGroup) {
    for (int states : {1, 2, 3})
        for (bool constant : {true, false}) run(states, 16, constant);
}

TEST(InOrder, VectorsInFlightPrefetchAndWideVectors) {
    for (const char *isa : {"avx2", "avx512"}) {
        if (!cpu_runs(isa)) continue;
        for (int vectors : {1, 2, 3})
            for (bool prefetch : {false, true})
                for (bool constant : {true, false}) run(6, 4, constant, {isa, vectors, prefetch});
    }
}

TEST(InOrder, RefusesTailsInSplitsOfSplits) {
    for (bool time : {true, false}) {
        Averages a(4, false);
        InOrder scan(a.r, 4, {}, "read");
        a.consume(scan.out.func);
        Var outer, inner, deeper, deepest, v = time ? a.r.time : a.r.channel;
        a.y.split(v, outer, inner, 32, TailStrategy::GuardWithIf)
            .split(inner, deeper, deepest, 3, TailStrategy::ShiftInwards);
        expect_refused("in order execution of read", [&] { scan.check(a.y); });
        expect_refused("must end in GuardWithIf", [&] { scan.check(a.y); });
    }
}

TEST(InOrder, RefusesParallelTime) {
    Averages a(4, false);
    InOrder scan(a.r, 4, {}, "read");
    a.consume(scan.out.func);
    a.y.parallel(a.r.time);
    expect_refused("must be serial in y", [&] { scan.check(a.y); });
}

// The consumer's schedule may be right and the read-out's own wrong: the pass sees that.
TEST(InOrder, RefusesParallelTimeOfTheReadOut) {
    Averages a(4, false);
    InOrder scan(a.r, 4, {}, "read");
    a.consume(scan.out.func);
    scan.out.func.compute_root().parallel(a.r.time);
    scan.check(a.y);
    expect_refused("loop over time must be serial",
                   [&] { lower_to_module(a.kernel(scan.pass), "k", kernel_target("avx2")); });
}

TEST(InOrder, RefusesAnInlinedReadOut) {
    Averages a(4, false);
    InOrder scan(a.r, 4, {}, "read");
    a.consume(scan.out.func);
    expect_refused("no serial loop over time",
                   [&] { lower_to_module(a.kernel(scan.pass), "k", kernel_target("avx2")); });
}

TEST(InOrder, RefusesAStatePerStep) {
    Averages a(4, true); // the state's address holds t
    InOrder scan(a.r, 4, {}, "read");
    a.consume(scan.out.func);
    scan.out.func.compute_root();
    expect_refused("depends on time",
                   [&] { lower_to_module(a.kernel(scan.pass), "k", kernel_target("avx2")); });
}

} // namespace
} // namespace ks::test
