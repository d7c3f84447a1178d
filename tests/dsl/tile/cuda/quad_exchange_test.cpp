// SPDX-License-Identifier: Apache-2.0
// The instructions of an exchange between four lanes, executed by the emulator.
#include "dsl/tile/cuda/quad_exchange.h"
#include "tests/emulator/snippet.h"
#include <gtest/gtest.h>

namespace ks::tile {
namespace {

std::string text() {
    Code code;
    store_quad(code, {"ks_tile_store_quad", {"%index", "32", "%inside", "%w0", "%w1", "%w2", "%w3"}, ""});
    return code.text();
}

// Lane 4 row + q, in a warp that is not the block's first, has words (row, q, group) of four groups; rows are
// 60 groups of 4 words apart.
TEST(QuadExchange, EveryLaneStoresAGroupThatItsQuadHeld) {
    constexpr uint64_t row_bytes = 60 * 16;
    emulator::Snippet warp;
    const uint64_t out = warp.memory.allocate(8 * row_bytes);
    auto word = [](uint64_t row, uint64_t q, uint64_t group) { return 1000 * row + 10 * q + group; };
    for (uint64_t lane = 0; lane < 32; lane++) {
        uint64_t row = lane / 4, q = lane % 4;
        warp.registers["%ks_out"][lane] = out;
        warp.registers["%index"][lane] = row * row_bytes / 2 + q * 8; // elements, of the lane's group
        warp.registers["%inside"][lane] = row != 5 && (row != 6 || q < 3);
        for (uint64_t group = 0; group < 4; group++)
            warp.registers["%w" + std::to_string(group)][lane] = word(row, q, group);
    }
    warp.run(text(), {}, 3);
    std::vector<uint32_t> wanted(8 * row_bytes / 4, 0xffffffff), got(wanted.size()); // as it is allocated
    for (uint64_t row = 0; row < 8; row++)
        for (uint64_t group = 0; row != 5 && group < (row == 6 ? 3 : 4); group++)
            for (uint64_t q = 0; q < 4; q++)
                wanted[(64 + row * row_bytes + group * 16) / 4 + q] =
                    static_cast<uint32_t>(word(row, q, group));
    std::memcpy(got.data(), warp.memory.span(out, 1), got.size() * 4);
    EXPECT_EQ(got, wanted);
}

// No lane may miss an exchange: only the store is conditional.
TEST(QuadExchange, IsNotUnderACondition) {
    std::istringstream lines(text());
    int exchanges = 0, stores = 0;
    for (std::string line; std::getline(lines, line);) {
        bool shuffle = line.find("shfl.sync.bfly") != std::string::npos,
             conditional = line.find('@') != std::string::npos;
        EXPECT_FALSE(shuffle && conditional) << line;
        EXPECT_EQ(line.find("bra"), std::string::npos) << line;
        exchanges += shuffle;
        stores += conditional && line.find("st.global.v4.b32") != std::string::npos;
    }
    EXPECT_EQ(exchanges, 4);
    EXPECT_EQ(stores, 1);
}

} // namespace
} // namespace ks::tile
