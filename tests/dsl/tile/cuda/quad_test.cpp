// SPDX-License-Identifier: Apache-2.0
// What is proved of the lanes of a quad, against trying all threads.
#include "dsl/tile/cuda/quad.h"
#include "refusal.h"
#include <gmock/gmock.h>

namespace ks::tile {
namespace {

using namespace Halide;
using testing::HasSubstr;

struct Threads {
    Expr t = Internal::Variable::make(Int(32), "t"), block = Internal::Variable::make(Int(32), "block");
    Expr row = t % 32 / 4, lane = t % 4;
    QuadValues values{"t", 128};
    QuadValue of(const Expr &e) { return values.find(e).value; }
};

TEST(QuadValues, KnowStepsAndMultiplesOfAllQuads) {
    Threads x;
    QuadValue index = x.of((x.block * 17 + x.row) * 1472 + x.lane * 2 + 24);
    EXPECT_EQ(index.steps(), (QuadValue::Steps{0, 2, 4, 6}));
    EXPECT_TRUE(index.begins_at_multiple(8));
    EXPECT_FALSE(index.begins_at_multiple(16));
    EXPECT_FALSE(x.of((x.block + x.row) * 1476 + x.lane * 2).begins_at_multiple(8));
    EXPECT_FALSE(x.of(x.row * 1476 + x.lane * 2).begins_at_multiple(8)); // in odd rows
    EXPECT_TRUE(x.of(x.row * 2952 + x.lane * 2).begins_at_multiple(8));
}

TEST(QuadValues, ThatDifferByAConstantAreProvedOnce) {
    Threads x;
    Expr first = x.block * 8 + x.lane;
    EXPECT_EQ(x.values.find(first).like, 0u);
    QuadValues::Found second = x.values.find(x.block * 8 + x.lane + 12);
    EXPECT_EQ(second.like, 0u);
    EXPECT_EQ(second.offset, 12);
    EXPECT_TRUE(second.value.begins_at_multiple(4));
    EXPECT_FALSE(second.value.begins_at_multiple(8));
    EXPECT_EQ(x.values.find(x.block * 16 + x.lane).like, 1u);
}

TEST(QuadValues, OfQuadsThatDifferAreRefused) {
    Threads x;
    EXPECT_THAT(refusal([&] { x.of(x.lane * x.block); }), HasSubstr("is not constant"));
    EXPECT_THAT(refusal([&] { x.of(x.lane * x.row); }), HasSubstr("quads differ"));
    EXPECT_THAT(refusal([&] { x.of((x.t + 1) / 4 % 2); }), HasSubstr("quads differ"));
}

// Whether lanes agree on begin + step <= 0, for every begin that the modulus allows.
TEST(QuadValue, HasTheSameSignWhereNoZeroLiesBetweenItsLanes) {
    for (QuadValue::Steps steps : {QuadValue::Steps{0, 0, 0, 0}, {0, 1, 2, 3}, {0, 2, 4, 6}, {0, -1, 3, 1}})
        for (int64_t modulus : {1, 2, 4, 8})
            for (int64_t remainder = 0; remainder < modulus; remainder++) {
                bool same = true;
                for (int64_t begin = remainder - 64; begin < 64; begin += modulus) {
                    int hold = 0;
                    for (int64_t step : steps) hold += begin + step <= 0;
                    same = same && (hold == 0 || hold == 4);
                }
                QuadValue value(steps, {modulus, remainder});
                EXPECT_EQ(value.same_sign(), same) << modulus << " " << remainder;
                EXPECT_EQ(value.plus(3).same_sign(),
                          QuadValue(steps, {modulus, (remainder + 3) % modulus}).same_sign());
            }
    EXPECT_TRUE(QuadValue({0, 1, 2, 3}, {0, -3}).same_sign()); // one begin alone
    EXPECT_FALSE(QuadValue({0, 1, 2, 3}, {0, -2}).same_sign());
    EXPECT_TRUE(QuadValue({0, 1, 2, 3}, {0, 1}).same_sign());
}

} // namespace
} // namespace ks::tile
