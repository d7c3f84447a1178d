// SPDX-License-Identifier: Apache-2.0
#include "dsl/tile/cuda/uniform_condition.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using namespace Halide;
using namespace Halide::Internal;
using testing::HasSubstr;
using testing::Not;

Expr var(const char *name) { return Variable::make(Int(32), name); }
Expr load(const char *buffer, const Expr &index) {
    return Load::make(Int(32), buffer, index, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
}
Stmt use(const Expr &e) { return Evaluate::make(Call::make(Int(32), "use", {e}, Call::Extern)); }
bool varies(const Expr &e) { return expr_uses_var(e, "thread"); }
std::string text(const Stmt &s) {
    std::ostringstream out;
    out << s;
    return out.str();
}

TEST(UniformCondition, IsThatOfASelectWhichAllAnswerAlike) {
    Expr given = var("flags") % 2 != 0;
    Expr sum = var("sum") + Select::make(given, load("bias", Select::make(given, var("thread"), 0)), 0);
    Stmt code = Block::make(use(Select::make(var("thread") < 4, 1, 2)), use(sum));
    Expr found = uniform_condition(code, varies);
    ASSERT_TRUE(found.defined());
    EXPECT_TRUE(equal(found, given));
    std::string with = text(with_condition(code, found, true)),
                without = text(with_condition(code, found, false));
    EXPECT_THAT(with, HasSubstr("use(sum + (int32)bias[thread])"));
    EXPECT_THAT(without, HasSubstr("use(sum + 0)"));
    for (const std::string &decided : {with, without}) EXPECT_THAT(decided, HasSubstr("select(thread < 4"));
}

TEST(UniformCondition, OfAllLanesIsOne) {
    Expr given = var("flags") != 0;
    Expr pair = Ramp::make(var("thread"), 1, 2);
    Stmt code = use(Select::make(Broadcast::make(given, 2), pair, Broadcast::make(0, 2)));
    EXPECT_TRUE(equal(uniform_condition(code, varies), given));
    EXPECT_THAT(text(with_condition(code, given, true)), Not(HasSubstr("select")));
}

TEST(UniformCondition, WhatMayDifferIsNone) {
    auto found = [](const Stmt &s) { return uniform_condition(s, varies).defined(); };
    auto choice = [](const Expr &by) { return use(Select::make(by, 1, 2)); };
    EXPECT_FALSE(found(use(var("flags"))));
    EXPECT_FALSE(found(choice(var("thread") == var("flags"))));
    EXPECT_FALSE(found(choice(load("mine", 0) == 0)));
    EXPECT_FALSE(found(LetStmt::make("t", var("thread"), choice(var("t") == 0))));
    EXPECT_FALSE(found(
        For::make("i", 0, 3, ForType::Serial, Partition::Never, DeviceAPI::None, choice(var("i") == 0))));
    EXPECT_TRUE(found(choice(var("flags") == 0)));
}

} // namespace
} // namespace ks::tile
