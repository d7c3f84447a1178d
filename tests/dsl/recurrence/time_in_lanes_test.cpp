// SPDX-License-Identifier: Apache-2.0
// Time in lanes: the shape of its code, plans that it refuses, and recurrences of every form of decay and
// input. Results are checked on a GPU; the selective scan's code by
// tests/schedules/cuda/selective_scan_test.cpp.
#include "dsl/recurrence/time_in_lanes.h"
#include "tests/dsl/recurrence/averages.h"
#include "tests/support/device_text.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;

int count(const std::string &text, const std::string &what) {
    int n = 0;
    for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += what.size()) n++;
    return n;
}

// Of a state: of the ends of all channels and, but for the last time, of the products, which are the same for
// all of them here.
int shuffles_up(const TimePlan &plan) {
    int times = 0;
    while (1 << times < plan.groups()) times++;
    return plan.own * times + times - 1;
}

std::string text_of(Averages &a, const TimePlan &plan, bool from_0 = true) {
    TimeInLanes scan(a.r, plan, a.x.dim(0).extent(), a.x.dim(1).extent());
    for (ImageParam p : {a.x, a.state})
        for (int i = 0; i < 2; i++) p.dim(i).set_min(0);
    a.consume(scan.read);
    for (int i = 0; from_0 && i < 2; i++) a.y.output_buffer().dim(i).set_min(0);
    scan.schedule(a.y);
    Kernel kernel = a.kernel(nullptr);
    for (auto &pass : scan.passes(a.y)) kernel.passes.push_back(pass);
    return device_text(kernel);
}

TEST(TimeInLanes, Plans) {
    auto refused = [](const std::string &assumption, const TimePlan &plan, int states) {
        expect_refused(assumption, [&] { plan.check(states); });
    };
    for (int channels : {1, 2, 4, 8, 16})
        for (int steps : {4, 8, 16}) EXPECT_NO_THROW((TimePlan{channels, 4, steps, 1}).check(16));
    TimePlan plan{2, 3, 8, 1};
    EXPECT_EQ(plan.groups(), 16);
    EXPECT_EQ(plan.block_channels(), 6);
    EXPECT_EQ(plan.tile_steps(), 128);
    EXPECT_EQ(plan.threads(), 96);
    plan.own = 2;
    EXPECT_EQ(plan.block_channels(), 12);
    EXPECT_EQ(plan.threads(), 96);
    plan.own = 0;
    refused("1 to 4 channels", plan, 16);
    refused("1, 2, 4, 8 or 16 channels", {3, 4, 16, 1}, 16);
    refused("1, 2, 4, 8 or 16 channels", {32, 4, 16, 1}, 16); // no groups to join
    refused("1 to 16 warps", {8, 0, 16, 1}, 16);
    refused("4, 8, ... 32 steps", {8, 4, 6, 1}, 16);
    refused("so many at a time", {8, 4, 16, 2}, 5);
    EXPECT_NO_THROW((TimePlan{8, 4, 16, 4}).check(0)) << "any number goes in groups of 16";
    EXPECT_NO_THROW((TimePlan{8, 4, 16, 4}).check(37));
    refused("no vectors", {8, 4, 16, 1, 1, 8}, 12);
    refused("no vectors", {8, 4, 16, 1, 1, 8}, 24); // the second group is half one
    refused("no vectors", {8, 4, 16, 1, 1, 8}, 0);
    EXPECT_NO_THROW((TimePlan{8, 4, 16, 1, 1, 8}).check(32));
}

// A decay that is no power, in products; no weights.
TEST(TimeInLanes, OtherRecurrences) {
    for (int states : {4, 20, 0})
        for (auto [channels, own] : {std::pair(1, 1), std::pair(8, 1), std::pair(8, 2)}) {
            SCOPED_TRACE(testing::Message() << states << " states, " << channels << " x " << own);
            Averages a(states, false);
            TimePlan plan{channels, 2, 8, 2, own};
            std::string ptx = text_of(a, plan);
            EXPECT_EQ(count(ptx, "shfl.sync.up.b32"), plan.states * shuffles_up(plan));
            EXPECT_EQ(count(ptx, "shfl.sync.idx.b32"), own * plan.states);
            EXPECT_EQ(count(ptx, "ex2.approx"), 0);
            EXPECT_EQ(count(ptx, ".local") + count(ptx, "ks_"), 0);
        }
}

// exp2 of the operands' product is one exp for the product of all decays; of their sum it is not.
TEST(TimeInLanes, KnowsAPowerByItsForm) {
    for (bool product : {true, false}) {
        Averages a(4, false);
        ImageParam rate(Float(32), 2, "rate"), in = a.x;
        rate.dim(0).set_min(0);
        Var d = a.r.channel, t = a.r.time;
        a.r.decay = [=](const Expr &n) {
            Expr factor = rate(d, n), step = in(d, t);
            return Internal::Call::make(Float(32), "__nv_exp2f", {product ? factor * step : factor + step},
                                        Internal::Call::PureExtern);
        };
        TimePlan plan{8, 2, 8, 1};
        TimeInLanes scan(a.r, plan, a.x.dim(0).extent(), a.x.dim(1).extent());
        a.consume(scan.read);
        for (int i = 0; i < 2; i++) a.y.output_buffer().dim(i).set_min(0);
        scan.schedule(a.y);
        Kernel kernel = a.kernel(nullptr);
        kernel.arguments.push_back(rate);
        for (auto &pass : scan.passes(a.y)) kernel.passes.push_back(pass);
        EXPECT_EQ(count(device_text(kernel), "ex2.approx"), plan.steps + product);
    }
}

// Which lane a thread is in follows from its channel, so channels must be counted from 0.
TEST(TimeInLanes, RefusesChannelsThatBeginAnywhere) {
    Averages a(4, false);
    expect_refused("a thread is not in the lane", [&] { text_of(a, {8, 2, 8, 1}, false); });
}

TEST(TimeInLanes, RefusesAConsumerThatSharesNoBlock) {
    Averages a(4, false);
    TimeInLanes scan(a.r, {8, 2, 8, 1}, a.x.dim(0).extent(), a.x.dim(1).extent());
    a.consume(scan.read);
    for (int i = 0; i < 2; i++) a.y.output_buffer().dim(i).set_min(0);
    Kernel kernel = a.kernel(nullptr); // not scheduled
    for (auto &pass : scan.passes(a.y)) kernel.passes.push_back(pass);
    EXPECT_THROW(device_text(kernel), Error);
}

TEST(TimeInLanes, RefusesAnOperandOfChannelStateAndTime) {
    Averages a(4, false);
    ImageParam dense(Float(32), 3, "dense");
    Var d = a.r.channel, t = a.r.time;
    a.r.input = [=](const Expr &n) { return dense(d, n, t); };
    expect_refused("channel, state and time at once",
                   [&] { TimeInLanes(a.r, {}, a.x.dim(0).extent(), a.x.dim(1).extent()); });
}

} // namespace
} // namespace ks::test
