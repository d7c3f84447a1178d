// SPDX-License-Identifier: Apache-2.0
// Overlap: a small pipeline with all kinds of stages, lowered for a GPU; the IR says what became of it. What
// it computes is checked on a GPU, by the tests of the ops that use it.
#include "dsl/kernel.h"
#include "dsl/lower/overlap_pass.h"
#include "runtime/base/error.h"
#include "tests/support/keep_pass.h"
#include <gmock/gmock.h>
#include <regex>

namespace ks {
namespace {
using namespace Halide;
using namespace Halide::Internal;
using testing::HasSubstr;

// copy -> (registers) -> prepared = 2 copy -> sums = prepared + its mirror image -> y = sums + bias + copy
struct Staged {
    static constexpr int width = 64, steps = 4;
    ImageParam in{Float(32), 3, "in"}, bias{Float(32), 1, "bias"};
    Param<int> last{"last"};
    Var x{"x"}, t{"t"}, b{"b"}, tile{"tile"}, in_tile{"in_tile"};
    Func copy{"copy"}, early{"early"}, late{"late"}, held{"held"}, prepared{"prepared"}, sums{"sums"}, y{"y"};
    Func beside{"beside"}; // a copy that sums reads as it is
    bool through_registers = true, late_reads = true, tie = false, direct = false;

    void build() {
        copy(x, t, b) = in(x, min(t, last), b);
        early(x, t, b) = copy(x, t, b);
        late(x, t, b) = copy(x, t, b);
        held(x) = bias(x);
        prepared(x, t, b) = 2.f * (through_registers ? early(x, t, b) : copy(x, t, b));
        beside(x, t, b) = in(width - 1 - x, min(t, last), b);
        Expr both = prepared(x, t, b) + prepared(width - 1 - x, t, b);
        sums(x, t, b) = direct ? both + beside(width - 1 - x, t, b) : both;
        Expr value = sums(x, t, b) + held(x);
        if (late_reads) value += late(x, t, b);
        y(x, t, b) = tie ? keep_until(value, copy(x, t, b)) : value;

        y.bound(x, 0, width).split(t, tile, in_tile, steps, TailStrategy::RoundUp);
        y.reorder(in_tile, x, tile, b).gpu_blocks(b).gpu_threads(x).unroll(in_tile);
        std::vector<Func *> shared = {&copy, &prepared, &sums};
        if (direct) shared.push_back(&beside);
        for (Func *f : shared)
            f->compute_at(y, tile)
                .store_in(MemoryType::GPUShared)
                .bound_extent(t, steps)
                .bound(x, 0, width)
                .reorder(t, x)
                .unroll(t)
                .gpu_threads(x);
        auto in_registers = [&](Func f) {
            f.store_in(MemoryType::Stack).bound_extent(t, steps).bound_extent(x, 1).unroll(t);
        };
        in_registers(early.compute_at(prepared, x));
        in_registers(late.compute_at(y, x));
        held.compute_at(y, x).store_in(MemoryType::Stack).bound_extent(x, 1);
    }
    OverlapStages stages() const {
        OverlapStages s{y.name(),    tile.name(), {copy.name()}, {prepared.name()},
                        sums.name(), {},          {held.name()}};
        if (through_registers) s.registers.insert(early.name());
        if (late_reads) s.registers.insert(late.name());
        if (direct) s.direct.insert(beside.name());
        return s;
    }
    Stmt lowered(bool overlap) { return lowered_as(stages(), overlap); }
    Stmt lowered_as(const OverlapStages &s, bool overlap = true) {
        auto keep = std::make_shared<test::KeepPass>();
        std::shared_ptr<LoweringPass> pass;
        if (overlap) pass = std::make_shared<OverlapPass>(s);
        lower_to_module({{y}, {in, bias, last}, {pass, keep}}, "staged", kernel_target("cuda"));
        return keep->kept;
    }
    std::string refused(const OverlapStages &s) {
        try {
            lowered_as(s);
        } catch (const Error &e) {
            return e.what();
        }
        return "no error";
    }
};

struct Look : IRVisitor {
    using IRVisitor::visit;
    int barriers = 0, in_loop = 0;
    int64_t shared = 0;
    Stmt loop;
    void visit(const Call *op) override {
        barriers += op->is_intrinsic(Call::gpu_thread_barrier);
        IRVisitor::visit(op);
    }
    void visit(const Allocate *op) override {
        if (op->memory_type == MemoryType::GPUShared) shared += *as_const_int(op->extents.at(0));
        IRVisitor::visit(op);
    }
    void visit(const For *op) override {
        bool tiles = ends_with(op->name, ".tile");
        int before = barriers;
        IRVisitor::visit(op);
        if (tiles) in_loop = barriers - before, loop = op->body;
    }
};

Look look(const Stmt &s) {
    Look l;
    s.accept(&l);
    return l;
}

TEST(OverlapPass, OneBarrierATileAndTwiceTheMemory) {
    Staged plain, overlapped;
    plain.build();
    overlapped.build();
    Look before = look(plain.lowered(false)), after = look(overlapped.lowered(true));
    EXPECT_GE(before.in_loop, 3);
    EXPECT_EQ(after.in_loop, 1);
    EXPECT_EQ(after.barriers, 3);
    EXPECT_EQ(after.shared, 2 * before.shared);
}

// The loop's statements in order, each as who stores, from which tile on: "early+1".
std::vector<std::string> order_of(const Stmt &loop) {
    std::ostringstream out;
    out << loop;
    std::istringstream lines(out.str());
    std::vector<std::string> order;
    static const std::regex half("\\.tile (\\+|-) ([0-9])\\) % 2"), own("\\.tile % 2"), name("^ *([a-z]+)");
    for (std::string line; std::getline(lines, line);) {
        std::smatch found;
        if (line.find("] = ") == std::string::npos || !std::regex_search(line, found, name)) continue;
        std::string who = found[1]; // "allocgroup": shared memory
        if (std::regex_search(line, found, half))
            who += (found[1] == "+" ? "+" : "-") + found[2].str();
        else if (std::regex_search(line, own))
            who += "+0";
        if (order.empty() || order.back() != who) order.push_back(who);
    }
    return order;
}

// Registers of tile k + 1, copies of k + 2, sums of k, prepared of k + 1, y of k - 1, registers that age.
TEST(OverlapPass, StagesInTheirOrder) {
    Staged s;
    s.build();
    Look after = look(s.lowered(true));
    EXPECT_THAT(order_of(after.loop), testing::ElementsAre("early+1", "late+1", "allocgroup+2",
                                                           "allocgroup+0", "allocgroup+1", "y-1", "late"));
    std::ostringstream out;
    out << after.loop;
    std::string text = out.str();
    EXPECT_THAT(text, HasSubstr(".tile > 0")); // no epilogue of tile -1
    EXPECT_THAT(text, HasSubstr(".before[0] = "));
    EXPECT_THAT(text, HasSubstr(".next[0] = "));
}

TEST(OverlapPass, CopiesThatMainReadsAreMadeOneTileAhead) {
    Staged s;
    s.direct = true;
    s.build();
    Look after = look(s.lowered(true));
    EXPECT_THAT(order_of(after.loop),
                testing::ElementsAre("early+1", "late+1", "allocgroup+2", "allocgroup+1", "allocgroup+0",
                                     "allocgroup+1", "y-1", "late"));
    Staged unnamed;
    unnamed.direct = true;
    unnamed.build();
    OverlapStages as_copy = unnamed.stages();
    as_copy.copies.insert(unnamed.beside.name());
    as_copy.direct.clear();
    EXPECT_THAT(unnamed.refused(as_copy), HasSubstr("may not read"));
}

// The consumer's registers of tile k + 1 come last, over those of k, which became those of the tile before.
TEST(OverlapPass, RegistersOfTheConsumerCanBeLoadedLate) {
    Staged s;
    s.build();
    OverlapStages late = s.stages();
    late.load_late = true;
    Look after = look(s.lowered_as(late));
    EXPECT_THAT(order_of(after.loop), testing::ElementsAre("early+1", "allocgroup+2", "allocgroup+0",
                                                           "allocgroup+1", "y-1", "late", "late+1"));
    std::ostringstream out;
    out << after.loop;
    EXPECT_THAT(out.str(), HasSubstr(".before[0] = (float32)late"));
    EXPECT_THAT(out.str(), testing::Not(HasSubstr(".next[0]")));
}

TEST(OverlapPass, MemoryIsTiedForAsLongAsTilesOverlap) {
    Staged loose, tied;
    for (Staged *s : {&loose, &tied}) s->late_reads = false;
    tied.tie = true;
    loose.build();
    tied.build();
    EXPECT_THAT(loose.refused(loose.stages()), HasSubstr("share shared memory"));
    EXPECT_EQ(look(tied.lowered(true)).in_loop, 1);
}

TEST(OverlapPass, BrokenAssumptionsAreNamed) {
    Staged direct;
    direct.through_registers = false;
    direct.build();
    EXPECT_THAT(direct.refused(direct.stages()), HasSubstr("may not read"));

    Staged unnamed;
    unnamed.build();
    OverlapStages without = unnamed.stages();
    without.prepared.clear();
    EXPECT_THAT(unnamed.refused(without), HasSubstr("in no stage"));

    Staged moving;
    moving.build();
    OverlapStages wrong = moving.stages();
    wrong.once.insert(moving.late.name());
    wrong.registers.erase(moving.late.name());
    EXPECT_THAT(moving.refused(wrong), HasSubstr("reads shared memory"));

    Staged elsewhere;
    elsewhere.build();
    OverlapStages other = elsewhere.stages();
    other.tile = "another";
    EXPECT_THAT(elsewhere.refused(other), HasSubstr("no serial loop"));

    Staged missing;
    missing.build();
    OverlapStages more = missing.stages();
    more.registers.insert("nobody");
    EXPECT_THAT(missing.refused(more), HasSubstr("nobody: is not computed"));
}

} // namespace
} // namespace ks
