// SPDX-License-Identifier: Apache-2.0
#include "dsl/lower/ir_facts.h"
#include <gmock/gmock.h>

namespace ks::lower {
namespace {

using namespace Halide;
using namespace Halide::Internal;
using testing::ElementsAre;

Expr load(const char *buffer, const Expr &index) {
    return Load::make(Int(32), buffer, index, Buffer<>(), Parameter(), const_true(), ModulusRemainder());
}
Expr var(const char *name) { return Variable::make(Int(32), name); }

std::vector<std::string> loaded_by(const Expr &e) {
    std::vector<std::string> names;
    for (const Load *l : loads_in(e)) names.push_back(l->name);
    return names;
}

TEST(IrFacts, LoadsInIndicesConditionsAndLetsAreFound) {
    EXPECT_THAT(loaded_by(load("x", load("rows", var("i")) * 4) + load("w", var("i"))),
                ElementsAre("x", "rows", "w"));
    EXPECT_THAT(loaded_by(select(load("experts", 0) >= 0, var("i"), load("x", 1))),
                ElementsAre("experts", "x"));
    EXPECT_THAT(loaded_by(Let::make("t", load("x", 0), var("t") * var("t"))), ElementsAre("x"));
    EXPECT_THAT(loaded_by(var("x") + 1), ElementsAre());
}

TEST(IrFacts, StoresAreNamedByTheirFirstLane) {
    Stmt pair = Store::make("y", Broadcast::make(0, 2), Ramp::make(var("i"), 1, 2), Parameter(),
                            const_true(2), ModulusRemainder());
    Stmt one = Store::make("z", 0, var("j"), Parameter(), const_true(), ModulusRemainder());
    Stmt code = Block::make(pair, one);
    EXPECT_THAT(stored_in(code), ElementsAre("y", "z"));
    ASSERT_EQ(stores_to("y", code).size(), 1u);
    EXPECT_TRUE(equal(stores_to("y", code)[0], var("i")));
}

} // namespace
} // namespace ks::lower
