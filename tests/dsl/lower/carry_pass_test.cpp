// SPDX-License-Identifier: Apache-2.0
// The carry pass on small IR made by hand.
#include "dsl/lower/carry_pass.h"
#include "dsl/lower/step_pass.h"
#include "dsl/recurrence/recurrence.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks {
namespace {
using namespace Halide;
using namespace Halide::Internal;

Expr load(const std::string &buffer, const Expr &index, const Expr &predicate = const_true()) {
    return Load::make(Float(32), buffer, index, Buffer<>(), Parameter(), predicate, ModulusRemainder());
}
Expr carry(const Expr &state, float a, float x) {
    return pseudo_call(Float(32), recurrence::carry_call, {state, Expr(a), Expr(x)});
}
Stmt store(const Expr &value, const Expr &index) {
    return Store::make("read", value, index, Parameter(), const_true(), ModulusRemainder());
}
Stmt time_loop(const Stmt &body, ForType type = ForType::Serial, const std::string &name = "read.s0.t") {
    return For::make(name, 0, 8, type, Partition::Auto, DeviceAPI::None, body);
}
Expr t() { return Variable::make(Int(32), "read.s0.t"); }

struct Count : IRVisitor {
    using IRVisitor::visit;
    int slots = 0, state_loads = 0, state_stores = 0, pseudo = 0, prefetches = 0, predicated_stores = 0;
    bool state_inside_loop = false, inside = false;
    void visit(const Allocate *op) override { slots++, IRVisitor::visit(op); }
    void visit(const Load *op) override {
        if (op->name == "state") state_loads++, state_inside_loop |= inside;
        IRVisitor::visit(op);
    }
    void visit(const Store *op) override {
        if (op->name == "state")
            state_stores++, state_inside_loop |= inside, predicated_stores += !is_const_one(op->predicate);
        IRVisitor::visit(op);
    }
    void visit(const Call *op) override {
        pseudo += starts_with(op->name, "ks_");
        prefetches += op->is_intrinsic(Call::prefetch);
        IRVisitor::visit(op);
    }
    void visit(const For *op) override {
        inside = true;
        IRVisitor::visit(op);
        inside = false;
    }
};

Count after(LoweringPass &pass, const Stmt &s) {
    Count c;
    Stmt out = pass.mutate(s);
    out.accept(&c);
    return c;
}

TEST(CarryPass, LoadsBeforeStoresAfterNothingInside) {
    CarryPass pass("read", "t");
    Count c = after(
        pass, time_loop(store(carry(load("state", 3), 0.5f, 1) + carry(load("state", 7), 0.5f, 1), t())));
    pass.verify();
    EXPECT_EQ(c.slots, 2);
    EXPECT_EQ(c.state_loads, 2);
    EXPECT_EQ(c.state_stores, 2);
    EXPECT_FALSE(c.state_inside_loop);
    EXPECT_EQ(c.pseudo, 0);
    EXPECT_EQ(pass.loops(), 1);
}

TEST(CarryPass, OneSlotPerAddressOverSeveralStores) {
    CarryPass pass("read", "t");
    Stmt both = Block::make(store(carry(load("state", 3), 0.5f, 1), t()),
                            store(carry(load("state", 3), 0.5f, 2), t() + 8));
    Count c = after(pass, time_loop(both)); // time unrolled by two
    EXPECT_EQ(c.slots, 1);
    EXPECT_EQ(c.state_stores, 1);
}

TEST(CarryPass, PartialLanesDecideForWholeOnesToo) {
    Expr lanes = Variable::make(Bool(), "lane_exists");
    Stmt whole = store(carry(load("state", 3), 0.5f, 1), t()),
         partial = store(carry(load("state", 3, lanes), 0.5f, 1), t());
    for (bool whole_first : {true, false}) {
        CarryPass pass("read", "t");
        Stmt body = IfThenElse::make(Variable::make(Bool(), "c"), whole_first ? whole : partial,
                                     whole_first ? partial : whole);
        Count c = after(pass, time_loop(body));
        EXPECT_EQ(c.slots, 1);
        EXPECT_EQ(c.predicated_stores, 1);
    }
}

TEST(CarryPass, StagesAndRenamedLoops) {
    CarryPass pass("read$3", "t");
    Stmt first =
        time_loop(store(carry(load("state", 3), 0.5f, 1), 0), ForType::Serial, "read$3.s0.t.rebased");
    Stmt second = time_loop(store(carry(load("state", 4), 0.5f, 1), 0), ForType::Serial, "read$3.s1.t");
    Stmt other = time_loop(store(load("state", 5), 0), ForType::Serial, "read$30.s0.t");
    Count c = after(pass, Block::make({first, second, other}));
    EXPECT_EQ(pass.loops(), 2);
    EXPECT_EQ(c.slots, 2);
}

TEST(CarryPass, SeesThroughLets) {
    CarryPass pass("read", "t");
    Stmt s = LetStmt::make("s", load("state", 3), store(carry(Variable::make(Float(32), "s"), 0.5f, 1), t()));
    EXPECT_EQ(after(pass, time_loop(s)).slots, 1);
}

TEST(CarryPass, TouchBecomesAPrefetch) {
    CarryPass pass("read", "t");
    Expr touched = pseudo_call(Float(32), recurrence::touch_call,
                               {carry(load("state", 3), 0.5f, 1), load("u", t()), Expr(32)});
    Count c = after(pass, time_loop(store(touched, t())));
    EXPECT_EQ(c.prefetches, 1);
    EXPECT_EQ(c.pseudo, 0);
}

void expect_refused(const std::string &assumption, const std::function<void()> &action) {
    try {
        action();
        ADD_FAILURE() << "expected an error about " << assumption;
    } catch (const ks::Error &e) {
        EXPECT_NE(std::string(e.what()).find(assumption), std::string::npos) << e.what();
    }
}

TEST(CarryPass, BrokenAssumptionsAreNamed) {
    CarryPass depends("read", "t"), parallel("read", "t"), not_a_load("read", "t"), nothing("read", "t");
    expect_refused("address of the state depends on time",
                   [&] { depends.mutate(time_loop(store(carry(load("state", t()), 0.5f, 1), t()))); });
    expect_refused("must be serial", [&] {
        parallel.mutate(time_loop(store(carry(load("state", 3), 0.5f, 1), t()), ForType::Parallel));
    });
    expect_refused("must be a load",
                   [&] { not_a_load.mutate(time_loop(store(carry(Expr(1.f), 0.5f, 1), t()))); });
    expect_refused("no serial loop over time", [&] {
        nothing.mutate(store(carry(load("state", 3), 0.5f, 1), 0));
        nothing.verify();
    });
}

TEST(StepPass, UpdatesTheStateInPlace) {
    StepPass pass("read");
    Count c = after(pass, store(carry(load("state", 3), 0.5f, 1) + carry(load("state", 4), 0.5f, 1), 0));
    pass.verify();
    EXPECT_EQ(pass.updates(), 2);
    EXPECT_EQ(c.state_stores, 2);
    EXPECT_EQ(c.pseudo, 0);
}

TEST(StepPass, WhetherAStateIsOneIsTheSameInAllLanes) {
    constexpr int lanes = 4;
    Expr index = Ramp::make(8, 1, lanes), any = Variable::make(Bool(), "any");
    Expr state = Load::make(Float(32, lanes), "state", index, Buffer<>(), Parameter(), const_true(lanes), {});
    auto stored_if = [&](const Expr &condition) {
        Expr next = pseudo_call(Float(32, lanes), recurrence::carry_call,
                                {state, make_const(Float(32, lanes), 0.5), state, condition});
        return Store::make("read", next, Ramp::make(0, 1, lanes), Parameter(), const_true(lanes), {});
    };
    StepPass asks("read"), always("read"), differs("read");
    EXPECT_EQ(after(asks, stored_if(Broadcast::make(any, lanes))).state_stores, 1);
    EXPECT_EQ(after(always, stored_if(const_true(lanes))).state_stores, 1);
    expect_refused("differs between the lanes", [&] { differs.mutate(stored_if(index < 10)); });
}

TEST(StepPass, OtherStoresAreNotItsBusiness) {
    StepPass pass("another");
    EXPECT_EQ(after(pass, store(carry(load("state", 3), 0.5f, 1), 0)).pseudo, 1);
    expect_refused("no state was updated", [&] { pass.verify(); });
}

} // namespace
} // namespace ks
