// SPDX-License-Identifier: Apache-2.0
// Stores of pairs that become stores of quads: the same words at the same places, against all threads one by
// one; what is almost such stores, and refused; what is read beside an edge.
#include "dsl/lower/ir_facts.h"
#include "dsl/tile/cuda/calls.h"
#include "dsl/tile/cuda/quad_store.h"
#include "examples.h"
#include "refusal.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using namespace Halide;
using namespace Halide::Internal;
using testing::HasSubstr;
using Memory = std::map<int64_t, int64_t>; // words by the element that they begin at

constexpr int threads = 128;

// The consumers' code of a tile 32 columns wide, in the order of the schedule, each part open to change.
struct Code {
    Expr t = Variable::make(Int(32), "t"), tile = Variable::make(Int(32), "tile");
    Expr lane = t % 4, row = t / 32 * 16 + t % 32 / 4;
    int stride = 1472, groups = 4;
    std::function<Expr(int)> row_of = [this](int half) { return load("rows", row + 8 * half); };
    std::function<Expr(int, int)> column_of = [this](int group, int) {
        return tile * 32 + group * 8 + lane * 2;
    };
    std::function<Expr(int, int)> value_of = [this](int group, int half) {
        return Broadcast::make(cast<uint16_t>(t * 8 + group * 2 + half), 2);
    };
    std::function<Expr(int, int)> guard_of = [](int, int) { return const_true(); };
    std::function<Stmt(Stmt)> around = [](Stmt s) { return s; };

    static Expr load(const std::string &buffer, const Expr &index) {
        return Load::make(Int(32), buffer, index, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
    }
    Stmt store(int group, int half, const std::string &buffer = "y") const {
        Expr index = row_of(half) * stride + column_of(group, half);
        Expr value = value_of(group, half);
        Stmt s = Store::make(buffer, value, Ramp::make(index, 1, value.type().lanes()), Parameter(),
                             const_true(value.type().lanes()), ModulusRemainder());
        Expr guard = guard_of(group, half);
        return is_const_one(guard) ? s : IfThenElse::make(guard, s);
    }
    std::vector<Stmt> stores() const {
        std::vector<Stmt> all;
        for (int group = 0; group < groups; group++)
            for (int half = 0; half < 2; half++) all.push_back(store(group, half));
        return all;
    }
    Stmt code() const { return around(Block::make(stores())); }
};

Stmt quads(const Stmt &code) {
    TileMatmul matmul;
    matmul.out = Func("y");
    TileOp op;
    op.warpgroups = 1, op.columns = 32, op.staged_store = false, op.quad_store = true;
    Placement placement;
    InlineLets lets;
    std::string out = matmul.out.name(); // made unique
    struct Rename : IRMutator {
        explicit Rename(const std::string &to) : to_(to) {}
        using IRMutator::visit;
        std::string to_;
        Stmt visit(const Store *s) override {
            return Store::make(s->name == "y" ? to_ : s->name, mutate(s->value), mutate(s->index), s->param,
                               s->predicate, s->alignment);
        }
        Expr visit(const Load *l) override {
            return Load::make(l->type, l->name == "y" ? to_ : l->name, mutate(l->index), l->image, l->param,
                              l->predicate, l->alignment);
        }
    };
    Stmt named = Rename(out).mutate(code);
    lets.mutate(named); // as the pass does with the whole kernel
    Scope<ModulusRemainder> nothing;
    return quad_stores(named, {matmul, op, "t", placement, nullptr, {}, {}, {}, lets, nothing});
}

std::string why(const std::function<void(Code &)> &change) {
    Code code;
    change(code);
    return refusal([&] { quads(code.code()); });
}

// Slots go to rows in another order.
constexpr int tile_number = 3;
int row_of_slot(int64_t slot) { return static_cast<int>(slot * 37 % 64); }

// The value of an expression in one thread.
int64_t value(const Expr &e, int thread) {
    struct Rows : IRMutator {
        using IRMutator::visit;
        Expr visit(const Load *l) override { return row_of_slot(*as_const_int(simplify(mutate(l->index)))); }
    };
    Expr known = substitute("tile", tile_number, substitute("t", thread, e));
    known = simplify(Rows().mutate(simplify(known)));
    if (const Broadcast *all = known.as<Broadcast>()) known = all->value;
    auto integer = as_const_int(known);
    auto natural = as_const_uint(known);
    if (!integer && !natural) throw std::runtime_error("not a constant");
    return integer ? *integer : static_cast<int64_t>(*natural);
}

struct Stores : IRVisitor {
    using IRVisitor::visit;
    std::vector<std::pair<const Store *, std::vector<Expr>>> pairs; // and their guards
    std::vector<const Call *> quads;
    std::vector<Expr> guards;
    void visit(const IfThenElse *x) override {
        guards.push_back(x->condition);
        IRVisitor::visit(x);
        guards.pop_back();
    }
    void visit(const Store *s) override { pairs.emplace_back(s, guards); }
    void visit(const Call *c) override {
        if (c->name == calls::store_quad) quads.push_back(c);
    }
};

void put(Memory &memory, int64_t at, int64_t word) {
    EXPECT_TRUE(memory.emplace(at, word).second) << "element " << at << " is stored twice";
}

Memory stored_by_pairs(const Stmt &code) {
    Stores find;
    InlineLets().mutate(code).accept(&find);
    Memory memory;
    for (const auto &[store, guards] : find.pairs)
        for (int t = 0; t < threads; t++) {
            bool due = true;
            for (const Expr &guard : guards) due = due && value(cast<int>(guard), t);
            if (due) put(memory, value(lower::first_lane(store->index), t), value(store->value, t));
        }
    return memory;
}

Memory stored_by_quads(const Stmt &code) {
    Stores find;
    code.accept(&find);
    EXPECT_TRUE(find.pairs.empty());
    EXPECT_EQ(find.quads.size(), 2u);
    Memory memory;
    for (const Call *call : find.quads)
        for (int t = 0; t < threads; t++) {
            int64_t at = value(call->args[0], t) + value(call->args[1], t);
            EXPECT_EQ(at % 8, 0);
            for (int q = 0; value(call->args[2], t) && q < 4; q++) { // word of lane q, of this lane's group
                const Expr &word = call->args[static_cast<size_t>(3 + t % 4)];
                put(memory, at + 2 * q, value(word.as<Reinterpret>()->value, t / 4 * 4 + q));
            }
        }
    return memory;
}

void expect_same(const std::function<void(Code &)> &change, size_t words) {
    Code code;
    change(code);
    Stmt pairs = code.code();
    Memory wanted = stored_by_pairs(pairs);
    EXPECT_EQ(wanted.size(), words);
    EXPECT_EQ(stored_by_quads(quads(pairs)), wanted);
}

TEST(QuadStore, StoresTheSameWordsAtTheSamePlaces) {
    expect_same([](Code &) {}, 64 * 16);
    expect_same([](Code &c) { c.row_of = [&c](int half) { return c.row + 8 * half; }; }, 64 * 16);
    expect_same(
        [](Code &c) { // groups in another order
            c.column_of = [&c](int group, int) { return c.tile * 32 + (3 - group) * 8 + c.lane * 2; };
        },
        64 * 16);
}

TEST(QuadStore, UnderTheConditionsOfThePairs) {
    auto column = [](Code &c, int columns) { // as Halide writes it: of pairs
        c.guard_of = [&c, columns](int group, int) {
            return c.tile * 16 + c.lane <= columns / 2 - 1 - 4 * group;
        };
    };
    for (int groups : {1, 2, 3}) // tile 3 of rows of that many groups more than 96 columns
        expect_same([&](Code &c) { column(c, 96 + groups * 8); }, static_cast<size_t>(64 * groups * 4));
    expect_same(
        [](Code &c) { // some groups without one
            c.guard_of = [&c](int group, int) {
                return group < 2 ? const_true() : c.tile * 16 + c.lane < 60 - 4 * group;
            };
        },
        64 * 12);
    expect_same(
        [](Code &c) { // rows too
            c.guard_of = [&c](int group, int half) {
                return c.row + 8 * half < 61 && c.tile * 16 + c.lane < 60 - 4 * group;
            };
        },
        61 * 12);
    expect_same(
        [](Code &c) { // in lets and one around the other
            Expr last = Variable::make(Int(32), "last");
            c.guard_of = [=, &c](int group, int) { return c.tile * 16 + c.lane < last - 4 * group; };
            c.around = [=, &c](const Stmt &s) {
                return LetStmt::make("last", c.tile * 20, IfThenElse::make(c.row < 50, s));
            };
        },
        52 * 12);
}

TEST(QuadStore, LanesMustStoreSideBySideOnWholeSixteenBytes) {
    EXPECT_EQ(why([](Code &) {}), "no error");
    EXPECT_THAT(why([](Code &c) { c.stride = 1476; }), HasSubstr("do not begin at multiples of 16 bytes"));
    EXPECT_THAT(why([](Code &c) { c.column_of = [&c](int g, int) { return g * 8 + c.lane * 2 + 2; }; }),
                HasSubstr("do not begin at multiples of 16 bytes"));
    EXPECT_THAT(why([](Code &c) { c.column_of = [&c](int g, int) { return g * 8 + 6 - c.lane * 2; }; }),
                HasSubstr("do not store side by side"));
    EXPECT_THAT(why([](Code &c) { c.column_of = [&c](int g, int) { return g * 2 + c.lane * 8; }; }),
                HasSubstr("do not store side by side"));
    EXPECT_THAT(why([](Code &c) { c.row_of = [&c](int) { return Code::load("rows", c.t); }; }),
                HasSubstr("is not constant"));
    EXPECT_THAT(why([](Code &c) { c.row_of = [&c](int) { return (c.t + 2) / 4; }; }),
                HasSubstr("do not store side by side"));
}

TEST(QuadStore, EveryPairIsOfFourGroups) {
    EXPECT_THAT(why([](Code &c) { c.groups = 3; }), HasSubstr("do not come in fours"));
    EXPECT_THAT(why([](Code &c) { c.groups = 8; }), HasSubstr("not all results"));
    EXPECT_THAT(why([](Code &c) { c.column_of = [&c](int g, int) { return g * 16 + c.lane * 2; }; }),
                HasSubstr("do not come in fours"));
    EXPECT_THAT(why([](Code &c) { c.column_of = [&c](int g, int) { return g / 2 * 8 + c.lane * 2; }; }),
                HasSubstr("stores a pair twice"));
    EXPECT_THAT(why([](Code &c) { c.around = [](const Stmt &) { return Evaluate::make(0); }; }),
                HasSubstr("not all results"));
}

TEST(QuadStore, ConditionsAreThoseOfWholeGroups) {
    auto under = [](const std::function<Expr(Code &, int)> &guard) {
        return why([&](Code &c) { c.guard_of = [&c, guard](int group, int) { return guard(c, group); }; });
    };
    const char *differently = "lanes of a quad answer differently";
    EXPECT_EQ(under([](Code &c, int) { return c.tile < 7; }), "no error");
    EXPECT_THAT(under([](Code &c, int) { return c.tile * 16 + c.lane < 50; }), HasSubstr(differently));
    EXPECT_THAT(under([](Code &c, int) { return c.tile + c.lane < 60; }), HasSubstr(differently));
    EXPECT_THAT(under([](Code &c, int) { return c.lane < 3; }), HasSubstr(differently));
    EXPECT_THAT(under([](Code &c, int) { return c.t < 127; }), HasSubstr(differently));
    EXPECT_THAT(under([](Code &c, int) { return c.lane != 2; }), HasSubstr("another form"));
    EXPECT_THAT(under([](Code &c, int) { return c.row < 3 || c.tile < 4; }), HasSubstr("another form"));
    EXPECT_THAT(under([](Code &c, int) { return Code::load("used", c.tile) > 0; }), HasSubstr("is loaded"));
}

TEST(QuadStore, NothingElseStandsBesideThem) {
    auto beside = [](const Stmt &other) {
        return why([&](Code &c) { c.around = [other](const Stmt &s) { return Block::make(other, s); }; });
    };
    Code code;
    EXPECT_THAT(beside(code.store(0, 0, "z")), HasSubstr("beside a store to z"));
    EXPECT_THAT(beside(calls::perform(calls::barrier, {code.t})), HasSubstr("beside a call"));
    EXPECT_THAT(
        beside(For::make("i", 0, 2, ForType::Serial, Partition::Never, DeviceAPI::None, Evaluate::make(0))),
        HasSubstr("in a loop"));
    EXPECT_THAT(why([](Code &c) {
                    c.value_of = [&c](int, int) {
                        return Broadcast::make(cast<uint16_t>(Code::load("y", c.t)), 2);
                    };
                }),
                HasSubstr("beside a load of it"));
    EXPECT_THAT(why([](Code &c) { c.value_of = [](int, int) { return Broadcast::make(0.5f, 2); }; }),
                HasSubstr("not of pairs of 16 bits"));
    EXPECT_THAT(
        why([](Code &c) { c.around = [&c](const Stmt &s) { return IfThenElse::make(c.tile < 2, s, s); }; }),
        HasSubstr("one of two branches"));
}

} // namespace
} // namespace ks::tile
