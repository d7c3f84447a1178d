// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/shell.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using namespace Halide;
using namespace Halide::Internal;
using testing::HasSubstr;
using testing::Not;

Expr var(const char *name) { return Variable::make(Int(32), name); }
Stmt tile() { return Evaluate::make(Call::make(Int(32), "the_tile", {var("thread")}, Call::Extern)); }
Stmt loop(const char *name, const Expr &extent, const Stmt &body) {
    return For::make(name, 0, extent, ForType::Serial, Partition::Never, DeviceAPI::None, body);
}
std::string text(const Stmt &s) {
    std::ostringstream out;
    out << s;
    return out.str();
}
Expr load(const char *buffer, const Expr &index) {
    return Load::make(Int(32), buffer, index, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
}

TEST(Shell, LoopsLetsAndConditionsOfTheBlockAreForBothRoles) {
    Stmt body = loop("turn", var("turns"),
                     LetStmt::make("t", var("turn") * 2, IfThenElse::make(var("t") < var("tiles"), tile())));
    Shell shell(body, {"thread"});
    EXPECT_EQ(text(shell.tile()), text(tile()));
    EXPECT_TRUE(shell.has_loop("turn"));
    Stmt other = Evaluate::make(Call::make(Int(32), "produce", {var("t")}, Call::Extern));
    EXPECT_EQ(text(shell.for_consumers(tile())), text(body));
    EXPECT_EQ(text(shell.for_producers(other)), text(shell.for_consumers(other)));
}

TEST(Shell, WhatDependsOnTheThreadStaysWithTheConsumers) {
    Stmt body =
        LetStmt::make("row", var("thread") + var("block"),
                      IfThenElse::make(var("block") < var("tiles") && var("row") < var("rows"), tile()));
    Shell shell(body, {"thread"});
    EXPECT_THAT(text(shell.tile()), HasSubstr("if (row < rows)"));
    std::string producers = text(shell.for_producers(Evaluate::make(7)));
    EXPECT_THAT(producers, HasSubstr("if (block < tiles)"));
    EXPECT_THAT(producers, Not(HasSubstr("row")));
    EXPECT_THAT(text(shell.for_consumers(shell.tile())), HasSubstr("let row = thread + block"));
}

// Nothing may be asked of memory that the kernel itself writes: producers are not in step with it.
TEST(Shell, EndsWhereTheKernelReadsWhatItWrote) {
    Stmt write = Store::make("mine", 1, 0, Parameter(), const_true(), ModulusRemainder());
    Stmt asks_own = IfThenElse::make(load("mine", 0) < 3, Block::make(write, tile()));
    EXPECT_EQ(text(Shell(asks_own, {"thread"}).tile()), text(asks_own));
    Stmt asks_input = IfThenElse::make(load("input", var("block")) < 3, Block::make(write, tile()));
    EXPECT_EQ(text(Shell(asks_input, {"thread"}).tile()), text(Block::make(write, tile())));
    Stmt varying_loop = loop("i", load("mine", 0), Block::make(write, tile()));
    EXPECT_EQ(text(Shell(varying_loop, {"thread"}).tile()), text(varying_loop));
}

TEST(Shell, StorageAroundTheTileIsTheConsumers) {
    Stmt body = Allocate::make("kept", Float(32), MemoryType::Register, {2}, const_true(),
                               loop("turn", 3, Block::make(tile(), Free::make("kept"))));
    Shell shell(body, {"thread"});
    EXPECT_TRUE(shell.has_loop("turn"));
    EXPECT_THAT(text(shell.for_consumers(shell.tile())), HasSubstr("allocate kept"));
    EXPECT_THAT(text(shell.for_producers(Evaluate::make(7))), Not(HasSubstr("kept")));
}

} // namespace
} // namespace ks::tile
