// SPDX-License-Identifier: Apache-2.0
// Sum of two strided matrices, exact.
#include "tests/support/op_call.h"
#include <gtest/gtest.h>

namespace ks::test {
namespace {

TEST(Add, AllShapes) {
    for (const auto &isa : isas())
        for (bool fixed : {false, true})
            for (int width : {1, 2, 7, 20, 92, 1472})
                for (int rows : {1, 2, 3, 257}) {
                    SCOPED_TRACE(testing::Message()
                                 << isa << " T=" << rows << " H=" << width << " fixed=" << fixed);
                    OpCall call("add", {}, {{"T", rows}, {"H", width}}, isa, fixed);
                    auto a = normal(call.size("a"), 1), b = normal(call.size("b"), 2);
                    call.set("a", a);
                    call.set("b", b);
                    EXPECT_EQ(call.run(), "");
                    for (size_t i = 0; i < a.size(); i++) a[i] = static_cast<float>(a[i] + b[i]);
                    EXPECT_EQ(call.get("y"), a);
                }
}

} // namespace
} // namespace ks::test
