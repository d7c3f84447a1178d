// SPDX-License-Identifier: Apache-2.0
// Gathering of rows against plain indexing, wrong row numbers included.
#include "tests/support/op_call.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

namespace ks::test {
namespace {

void check(const std::string &isa, const std::string &io, int T, int R, int K, bool fixed) {
    SCOPED_TRACE(testing::Message() << isa << " " << io << " T=" << T << " R=" << R << " K=" << K);
    OpCall call("gather_rows", {{"io", io}}, {{"T", T}, {"R", R}, {"K", K}}, isa, fixed);
    auto x = stored("f32", normal(call.size("x"), 1));
    std::vector<double> rows, wanted;
    for (int r = 0; r < R; r++) rows.push_back((r * 7 + 3) % T);
    rows[0] = std::numeric_limits<int>::min();
    if (R > 1) rows[1] = std::numeric_limits<int>::max();
    if (R > 2) rows[2] = T;
    for (double row : rows)
        for (int k = 0; k < K; k++) {
            auto from = static_cast<int>(std::clamp(row, 0.0, T - 1.0));
            wanted.push_back(x[static_cast<size_t>(from * K + k)]);
        }
    call.set("x", x);
    call.set("rows", rows);
    EXPECT_EQ(call.run(), "");
    EXPECT_EQ(call.get("y"), stored(io, wanted));
}

TEST(GatherRows, AllShapes) {
    for (const auto &isa : isas())
        for (int K : {1, 2, 7, 16, 20, 92, 184})
            for (int T : {1, 3, 33})
                for (int R : {1, 2, 3, 5, 257})
                    for (const char *io : {"f32", "bf16"}) check(isa, io, T, R, K, false);
}

TEST(GatherRows, FixedWidths) {
    for (const auto &isa : isas())
        for (int K : {1, 20, 184}) check(isa, "bf16", 9, 5, K, true);
}

} // namespace
} // namespace ks::test
