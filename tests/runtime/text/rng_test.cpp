// SPDX-License-Identifier: Apache-2.0
// The generator against the published first outputs of splitmix64 and xoshiro256**.
#include "runtime/text/rng.h"

#include <gtest/gtest.h>

using ks::text::Rng;

TEST(Rng, SplitMixReference) {
    uint64_t state = 1234567;
    EXPECT_EQ(Rng::split_mix(state), 6457827717110365317u);
    EXPECT_EQ(Rng::split_mix(state), 3203168211198807973u);
    EXPECT_EQ(Rng::split_mix(state), 9817491932198370423u);
}

TEST(Rng, XoshiroReference) {
    Rng rng({1, 2, 3, 4});
    for (const uint64_t expected : {11520u, 0u, 1509978240u}) EXPECT_EQ(rng.next(), expected);
    EXPECT_EQ(rng.next(), 1215971899390074240u);
}

TEST(Rng, ItsStateGoesOnTheSame) {
    Rng rng(3);
    rng.next();
    Rng other(rng.state());
    for (int i = 0; i < 5; ++i) EXPECT_EQ(rng.next(), other.next());
}

TEST(Rng, Uniform) {
    Rng rng(0), other(1);
    EXPECT_NE(rng.next(), other.next());
    double sum = 0, square = 0;
    constexpr int n = 200000;
    for (int i = 0; i < n; ++i) {
        const double u = rng.uniform();
        ASSERT_GE(u, 0);
        ASSERT_LT(u, 1);
        sum += u;
        square += u * u;
    }
    EXPECT_NEAR(sum / n, 0.5, 0.003);
    EXPECT_NEAR(square / n, 1.0 / 3, 0.003);
}
