// SPDX-License-Identifier: Apache-2.0
// The condition of a reduction domain stands once, around all that it decides.
#include "dsl/kernel.h"
#include "dsl/lower/where_pass.h"
#include "runtime/base/error.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {
using namespace Halide;
using namespace Halide::Internal;

struct Conditions : LoweringPass { // that load `use` or say whether a stage is used
    using IRMutator::visit;
    int found = 0, stores_outside = 0, inside = 0;
    Stmt visit(const IfThenElse *op) override {
        std::ostringstream text;
        text << op->condition;
        bool ours = text.str().find("use[") != std::string::npos;
        found += ours || text.str().find(".used") != std::string::npos;
        inside += ours;
        Stmt s = IRMutator::visit(op);
        inside -= ours;
        return s;
    }
    Stmt visit(const Store *op) override {
        stores_outside += op->name == "y" && !inside;
        return IRMutator::visit(op);
    }
    void verify() const override {}
};

struct Case {
    ImageParam x{Float(32), 2, "x"}, use{Int(32), 1, "use"};
    Var i{"i"}, p0{"p0"}, p1{"p1"};
    RDom r;
    Func half{"half"}, y{"y"};

    Case() : r(0, 4, 0, x.dim(1).extent() / 4, "r") {
        half(i, p0) = x(i, p0) * 0.5f;
        y(i, p0) = undef<float>();
        r.where(use(r.y) >= 0);
        y(i, r.x + 4 * r.y) = half(i, r.x + 4 * r.y);
        RVar group("group"), in_group("in_group"); // of tiles: the condition's variable becomes a let
        y.update()
            .allow_race_conditions()
            .split(r.y, group, in_group, 8, TailStrategy::GuardWithIf)
            .reorder(r.x, i, in_group, group)
            .unroll(r.x)
            .gpu_blocks(in_group, group)
            .gpu_threads(i);
        half.compute_at(y, r.x);
        y.output_buffer().dim(0).set_bounds(0, 64);
    }
    std::shared_ptr<Conditions> lowered(const char *buffer) {
        auto conditions = std::make_shared<Conditions>();
        std::shared_ptr<LoweringPass> pass;
        if (*buffer) pass = std::make_shared<WherePass>(buffer);
        lower_to_module({{y}, {x, use}, {pass, conditions}}, "k", kernel_target("cuda"));
        return conditions;
    }
};

TEST(WherePass, OneConditionAroundTheBlock) {
    EXPECT_GT(Case().lowered("")->found, 1); // as Halide leaves it: one a row, at least
    auto placed = Case().lowered("use");
    EXPECT_EQ(placed->found, 1);
    EXPECT_EQ(placed->stores_outside, 0);
}

// Tiles one after the other by the same threads: lets in the loop stand for what depends on it.
TEST(WherePass, OneConditionInASerialLoop) {
    Expr loop = Variable::make(Int(32), "loop"), block = Variable::make(Int(32), "block");
    auto load = [](const std::string &buffer, const Expr &at) {
        return Load::make(Int(32), buffer, at, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
    };
    auto row = [&](const std::string &let, int number, const Expr &tile) {
        Expr at = Variable::make(Int(32), let);
        Stmt store = Store::make("y", 1, at * 4 + number, Parameter(), const_true(), ModulusRemainder());
        return LetStmt::make(let, tile, IfThenElse::make(load("use", at) >= 0, store));
    };
    auto placed = [&](const Expr &second) {
        Stmt rows = Block::make(row("t0", 0, loop * 3 + block), row("t1", 1, second));
        WherePass pass("use");
        Stmt code =
            pass.mutate(For::make("loop", 0, 5, ForType::Serial, Partition::Never, DeviceAPI::None, rows));
        pass.verify();
        return code;
    };
    Conditions conditions;
    conditions.mutate(placed(loop * 3 + block));
    EXPECT_EQ(conditions.found, 1);
    EXPECT_EQ(conditions.stores_outside, 0);
    EXPECT_THROW(placed(loop * 3 + block + 1), Error); // another tile's
}

TEST(WherePass, AConditionOfAnotherBufferIsMissed) { EXPECT_THROW(Case().lowered("unused"), Error); }

} // namespace
} // namespace ks::test
