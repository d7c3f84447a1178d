// SPDX-License-Identifier: Apache-2.0
// States over lanes: plans and recurrences that it refuses, and the operands of terms. Results are checked on
// a GPU; the shape of its code by tests/schedules/cuda/selective_scan_test.cpp.
#include "dsl/recurrence/states_over_lanes.h"
#include "runtime/base/error.h"
#include <gmock/gmock.h>

namespace ks {
namespace {
using namespace Halide;
using testing::HasSubstr;

template <typename F>
std::string cause(F f) {
    try {
        f();
    } catch (const Error &e) {
        return e.what();
    }
    return "no error";
}

struct Scan {
    ImageParam a{Float(32), 2, "a"}, x{UInt(16), 2, "x"}, b{UInt(16), 2, "b"}, state{Float(32), 2, "state"};
    Var d{"d"}, t{"t"};
    Recurrence r;

    Scan() {
        r.channel = d;
        r.time = t;
        r.states = 16;
        ImageParam A = a, X = x, B = b, S = state;
        Var channel = d, time = t;
        auto f = [](const Expr &e) { return reinterpret<float>(cast<uint32_t>(e) << 16); };
        r.state = [=](const Expr &n) { return S(channel, n); };
        r.decay = [=](const Expr &n) { return exp(A(channel, n) * f(X(channel, time))); };
        r.input = [=](const Expr &n) { return f(X(channel, time)) * f(B(n, time)); };
        r.read = [=](const Expr &n) { return Func(weights(B, f))(n, time); };
    }
    template <typename F>
    static Func weights(ImageParam b, F f) {
        static Func made = [&] {
            Func w("read_weight");
            Var n("n"), t("t");
            w(n, t) = f(b(n, t));
            return w;
        }();
        return made;
    }
    std::string refused(const LanesPlan &plan = {}) {
        return cause([&] { StatesOverLanes(r, plan, Expr(100), Func("y")); });
    }
};

TEST(StatesOverLanes, Plans) {
    EXPECT_EQ(cause([] { LanesPlan().check(); }), "no error");
    LanesPlan four{4, 4, 2, 8, 7};
    EXPECT_EQ(cause([&] { four.check(); }), "no error");
    EXPECT_EQ(four.channels(), 64);
    EXPECT_EQ(four.tile_steps(), 16);
    EXPECT_EQ(four.thread_steps(), 4);
    EXPECT_EQ(four.thread_weights(), 2);
    EXPECT_THAT(cause([] { (LanesPlan{16, 2, 8}).check(); }), HasSubstr("4 or 8 lanes"));
    EXPECT_THAT(cause([] { (LanesPlan{8, 1, 8}).check(); }), HasSubstr("multiple of 8 channels"));
    EXPECT_THAT(cause([] { (LanesPlan{8, 2, 0}).check(); }), HasSubstr("cannot be shared"));
    EXPECT_THAT(cause([] {
                    (LanesPlan{8, 2, 4}).check();
                }),
                HasSubstr("cannot be shared")); // one step a thread
    EXPECT_THAT(cause([] { (LanesPlan{8, 2, 32}).check(); }), HasSubstr("too many steps"));
    EXPECT_THAT(cause([] { (LanesPlan{8, 2, 8, 4, 4}).check(); }), HasSubstr("position"));
}

TEST(StatesOverLanes, RecurrencesThatItCannotCarryOut) {
    EXPECT_EQ(Scan().refused(), "no error");
    Scan many;
    many.r.states = 32;
    EXPECT_THAT(many.refused(), HasSubstr("16 states"));
    Scan constant;
    constant.r.decay = [](const Expr &n) { return cast<float>(n); };
    EXPECT_THAT(constant.refused(), HasSubstr("must read operands of channel and time"));
    Scan scaled;
    auto read = scaled.r.read;
    scaled.r.read = [=](const Expr &n) { return 2.f * read(n); };
    EXPECT_THAT(scaled.refused(), HasSubstr("one operand of state and time"));
    Scan full;
    ImageParam dense(Float(32), 3, "dense");
    Var d = full.d, t = full.t;
    full.r.input = [=](const Expr &n) { return dense(d, n, t); };
    EXPECT_THAT(full.refused(), HasSubstr("channel, state and time at once"));
}

TEST(StatesOverLanes, OperandsOfStepsHaveOneStorage) { // x has 16 bits
    Scan scan;
    ImageParam wide(Float(32), 2, "wide");
    Var d = scan.d, t = scan.t;
    Func y("y");
    StatesOverLanes lanes(scan.r, {}, Expr(100), y);
    auto pack = [](const Expr &low, const Expr &) { return cast<uint32_t>(low); };
    EXPECT_THAT(cause([&] { lanes.consume(lanes.read(d, t) * Func(wide)(d, t), pack); }),
                HasSubstr("all have 16 bits, or all 32"));
}

TEST(StatesOverLanes, HeldOperandsOfTheConsumerAreNotOfTime) {
    Scan scan;
    ImageParam across(UInt(16), 2, "across");
    Var d = scan.d, t = scan.t;
    Func y("y");
    StatesOverLanes lanes(scan.r, {}, Expr(100), y);
    auto pack = [](const Expr &low, const Expr &) { return cast<uint32_t>(low); };
    EXPECT_THAT(cause([&] { lanes.consume(lanes.read(d, t) * Func(across)(t, d), pack); }),
                HasSubstr("must be read along d and time"));
}

TEST(OperandsOfTerms, KindsByWhatTheyDependOn) {
    Scan scan;
    OperandsOfTerms operands(scan.r);
    EXPECT_EQ(operands.of(OperandsOfTerms::held).size(), 1u);
    EXPECT_EQ(operands.of(OperandsOfTerms::per_step).size(), 1u); // x, in decay and in input
    EXPECT_EQ(operands.of(OperandsOfTerms::per_weight).size(), 2u);
    EXPECT_EQ(operands.read_weight(), 1);
    std::vector<int> asked;
    operands.input([&](OperandsOfTerms::Kind kind, int i) -> Expr {
        asked.push_back(10 * kind + i);
        return cast<uint16_t>(0);
    });
    EXPECT_THAT(asked, testing::ElementsAre(10, 20));
}

} // namespace
} // namespace ks
