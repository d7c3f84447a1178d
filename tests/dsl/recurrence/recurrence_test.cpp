// SPDX-License-Identifier: Apache-2.0
// Both executions of a small recurrence against a double loop, for any number of states, constant or not; and the
// schedules that they refuse.
#include "HalideBuffer.h"
#include "dsl/kernel.h"
#include "dsl/recurrence/in_order.h"
#include "dsl/recurrence/step.h"
#include "runtime/base/error.h"
#include "tests/support/jit_kernel.h"
#include <cmath>
#include <gtest/gtest.h>

namespace ks {
namespace {
using namespace Halide;

// h[n] = (0.9 - n / 1000) h[n] + (n + 1) x(d, t);  y = sum_n h[n] / (n + 1)
struct Small {
    ImageParam x{Float(32), 2, "x"}, state; // state [n][d], or [t][n][d] for the step
    Param<int> count{"count"};
    Var d{"d"}, t{"t"};
    Recurrence r;
    Small(int constant_states, bool step) : state(Float(32), step ? 3 : 2, "state") {
        r.channel = d;
        r.time = t;
        r.states = constant_states ? Expr(constant_states) : Expr(count);
        Var channel = d, time = t;
        ImageParam s = state, in = x;
        r.state = [=](const Expr &n) { return step ? Expr(s(channel, n, time)) : Expr(s(channel, n)); };
        r.decay = [](const Expr &n) { return 0.9f - cast<float>(n) / 1000.f; };
        r.input = [=](const Expr &n) { return cast<float>(n + 1) * in(channel, time); };
        r.read = [](const Expr &n) { return 1.f / cast<float>(n + 1); };
    }
    Kernel kernel(const Func &y, std::shared_ptr<LoweringPass> pass) { return {{y}, {x, state, count}, {std::move(pass)}}; }
};

Func consumer(const Small &s, const ReadOut &out) {
    Func y("y");
    y(s.d, s.t) = out.func(s.d, s.t) + 0.f;
    return y;
}

float input(int d, int t) { return std::sin(static_cast<float>(d * 3 + t * 7 + 1)); }

struct Case {
    int states, group;
    bool constant;
};

class Executions : public testing::TestWithParam<Case> {};

TEST_P(Executions, InOrder) {
    auto [states, group, constant] = GetParam();
    const int D = 21, L = 19;
    Small s(constant ? states : 0, false);
    InOrder scan(s.r, group, {}, "read");
    Func y = consumer(s, scan.out);
    Var tile, ti;
    y.split(s.t, tile, ti, 8, TailStrategy::GuardWithIf).reorder(s.d, ti, tile);
    scan.out.func.compute_at(y, tile).store_in(MemoryType::Stack).bound_storage(s.d, 32).bound_storage(s.t, 8);
    scan.out.vectorise(8, 1);
    scan.check(y);
    test::JitKernel kernel(s.kernel(y, scan.pass), kernel_target("avx2"));
    Halide::Runtime::Buffer<float> x(D, L), h(D, states), out(D, L);
    x.for_each_element([&](int d, int t) { x(d, t) = input(d, t); });
    h.for_each_element([&](int d, int n) { h(d, n) = static_cast<float>(d + n) / 10; });
    std::vector<double> state(static_cast<size_t>(D * states));
    for (int d = 0; d < D; d++)
        for (int n = 0; n < states; n++) state[static_cast<size_t>(d * states + n)] = h(d, n);
    int count = states;
    ASSERT_EQ(kernel({x.raw_buffer(), h.raw_buffer(), &count, out.raw_buffer()}), 0);
    for (int d = 0; d < D; d++)
        for (int t = 0; t < L; t++) {
            double sum = 0;
            for (int n = 0; n < states; n++) {
                double &v = state[static_cast<size_t>(d * states + n)];
                v = (0.9 - n / 1000.0) * v + (n + 1) * static_cast<double>(input(d, t));
                sum += v / (n + 1);
            }
            ASSERT_NEAR(out(d, t), sum, 2e-5 * states) << "d " << d << ", t " << t;
        }
    for (int d = 0; d < D; d++)
        for (int n = 0; n < states; n++)
            ASSERT_NEAR(h(d, n), state[static_cast<size_t>(d * states + n)], 1e-5 * (n + 1) * 10) << "d " << d << ", n " << n;
}

TEST_P(Executions, Step) {
    auto [states, group, constant] = GetParam();
    const int D = 21, S = 3;
    Small s(constant ? states : 0, true);
    Step step(s.r, group, {}, "read");
    Func y = consumer(s, step.out);
    step.out.func.compute_at(y, s.t).store_in(MemoryType::Stack).bound_storage(s.d, 32).bound_storage(s.t, 1);
    step.out.vectorise(8, 1);
    step.check(y);
    test::JitKernel kernel(s.kernel(y, step.pass), kernel_target("avx2"));
    Halide::Runtime::Buffer<float> x(D, S), h(D, states, S), out(D, S);
    x.for_each_element([&](int d, int t) { x(d, t) = input(d, t); });
    h.for_each_element([&](int d, int n, int t) { h(d, n, t) = static_cast<float>(d + n - t) / 10; });
    int count = states;
    ASSERT_EQ(kernel({x.raw_buffer(), h.raw_buffer(), &count, out.raw_buffer()}), 0);
    for (int t = 0; t < S; t++)
        for (int d = 0; d < D; d++) {
            double sum = 0;
            for (int n = 0; n < states; n++) {
                double v = (0.9 - n / 1000.0) * ((d + n - t) / 10.0) + (n + 1) * static_cast<double>(input(d, t));
                sum += v / (n + 1);
                ASSERT_NEAR(h(d, n, t), v, 1e-5 * (n + 1) * 10);
            }
            ASSERT_NEAR(out(d, t), sum, 2e-5 * states);
        }
}

std::vector<Case> cases() {
    std::vector<Case> list;
    for (bool constant : {true, false})
        for (int states : {1, 2, 3, 5, 8, 16, 64})
            for (int group : {1, 4, 8}) list.push_back({states, group, constant});
    list.push_back({256, 4, false});
    return list;
}

INSTANTIATE_TEST_SUITE_P(States, Executions, testing::ValuesIn(cases()), [](const auto &test) {
    return std::to_string(test.param.states) + "_by_" + std::to_string(test.param.group) + (test.param.constant ? "" : "_any");
});

void expect_refused(const std::string &assumption, const std::function<void()> &action) {
    try {
        action();
        ADD_FAILURE() << "expected an error about " << assumption;
    } catch (const ks::Error &e) {
        EXPECT_NE(std::string(e.what()).find(assumption), std::string::npos) << e.what();
    }
}

TEST(InOrderAssumptions, TailsThatReplaySteps) {
    for (bool time : {true, false})
        for (TailStrategy tail : {TailStrategy::ShiftInwards, TailStrategy::RoundUp, TailStrategy::Auto}) {
            Small s(4, false);
            InOrder scan(s.r, 4, {}, "read");
            Func y = consumer(s, scan.out);
            Var outer, inner;
            y.split(time ? s.t : s.d, outer, inner, 8, tail);
            expect_refused("GuardWithIf", [&] { scan.check(y); });
        }
}

TEST(InOrderAssumptions, TimeIsSerial) {
    Small s(4, false), p(4, false);
    InOrder vectorised(s.r, 4, {}, "read"), parallel(p.r, 4, {}, "read");
    Func y = consumer(s, vectorised.out), z = consumer(p, parallel.out);
    Var outer, inner;
    y.split(s.t, outer, inner, 8, TailStrategy::GuardWithIf).vectorize(inner);
    z.split(p.t, outer, inner, 8, TailStrategy::GuardWithIf).parallel(outer);
    expect_refused("t must be serial", [&] { vectorised.check(y); });
    expect_refused("t must be serial", [&] { parallel.check(z); });
}

TEST(InOrderAssumptions, ReadOutHasItsOwnLoop) {
    Small s(4, false);
    InOrder scan(s.r, 4, {}, "read");
    Func y = consumer(s, scan.out); // read inlined
    expect_refused("no serial loop over time", [&] { lower_to_module(s.kernel(y, scan.pass), "k", kernel_target("avx2")); });
}

} // namespace
} // namespace ks
