// SPDX-License-Identifier: Apache-2.0
#include "autotune/guard.h"
#include "runtime/base/error.h"
#include <cmath>
#include <cstdint>
#include <gtest/gtest.h>

using namespace ks::tune;

namespace {

TEST(Guard, IsPoisonedAlignedAndWhole) {
    for (size_t bytes : {0, 1, 4, 100, 4096, 8192, 100000})
        for (size_t alignment : {1, 4, 64, 4096}) {
            GuardedBuffer b(bytes, alignment);
            EXPECT_EQ(reinterpret_cast<uintptr_t>(b.data()) % alignment, 0u);
            auto *p = static_cast<volatile unsigned char *>(b.data());
            for (size_t i = 0; i < bytes; i++) EXPECT_EQ(p[i], 0xff), p[i] = 1;
            EXPECT_EQ(b.damage(), "");
        }
    GuardedBuffer f(4);
    EXPECT_TRUE(std::isnan(*static_cast<float *>(f.data())));
    EXPECT_THROW(GuardedBuffer(4, 3), ks::Error);
}

TEST(Guard, NamesTheFirstByteOnEitherSide) {
    for (size_t bytes : {1, 100, 4096}) {
        GuardedBuffer b(bytes);
        auto *p = static_cast<volatile unsigned char *>(b.data());
        p[bytes] = 0;
        EXPECT_EQ(b.damage(), "written 1 bytes behind the buffer");
        p[bytes] = 0xa5;
        EXPECT_EQ(b.damage(), "");
        p[-12] = 0;
        EXPECT_EQ(b.damage(), "written 12 bytes before the buffer");
    }
}

TEST(GuardDeathTest, FarWritesEndTheProcess) {
    GuardedBuffer b(100);
    auto *p = static_cast<volatile unsigned char *>(b.data());
    EXPECT_DEATH(p[100 + 4000] = 1, "");
    EXPECT_DEATH(p[-8100] = 1, "");
}

} // namespace
