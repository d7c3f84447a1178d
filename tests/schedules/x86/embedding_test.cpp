// SPDX-License-Identifier: Apache-2.0
// Embedding against plain indexing, wrong ids included.
#include "tests/support/op_call.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <limits>

namespace ks::test {
namespace {

void check(const std::string &weight, const std::string &isa, int tokens, int rows, int width, bool fixed) {
    SCOPED_TRACE(testing::Message() << weight << " " << isa << " T=" << tokens << " V=" << rows
                                    << " H=" << width);
    OpCall call("embedding", {{"weight", weight}}, {{"T", tokens}, {"V", rows}, {"H", width}}, isa, fixed);
    auto table = stored(weight, normal(call.size("table"), 1));
    std::vector<double> ids, wanted;
    for (int t = 0; t < tokens; t++) ids.push_back((t * 7 + 3) % rows);
    ids[0] = std::numeric_limits<int>::min();
    if (tokens > 1) ids[1] = std::numeric_limits<int>::max();
    if (tokens > 2) ids[2] = rows;
    for (double id : ids)
        for (int h = 0; h < width; h++)
            wanted.push_back(
                table[static_cast<size_t>(std::clamp(id, 0.0, rows - 1.0)) * static_cast<size_t>(width) +
                      static_cast<size_t>(h)]);
    call.set("table", table);
    call.set("ids", ids);
    EXPECT_EQ(call.run(), "");
    EXPECT_EQ(call.get("y"), wanted);
}

TEST(Embedding, AllShapesAndStorages) {
    for (const auto &isa : isas())
        for (const char *weight : {"f32", "bf16", "f16"})
            for (int width : {1, 2, 7, 20, 92, 184, 1472})
                for (int tokens : {1, 2, 3, 5, 257}) check(weight, isa, tokens, 11, width, false);
}

TEST(Embedding, FixedWidths) {
    for (const auto &isa : isas())
        for (int width : {1, 20, 1472}) check("bf16", isa, 5, 11, width, true);
}

} // namespace
} // namespace ks::test
