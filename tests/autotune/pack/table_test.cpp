// SPDX-License-Identifier: Apache-2.0
// Kernels in the generated table: the order that decides which runs, and what each asks of a call.
#include "autotune/pack/header.h"
#include <gtest/gtest.h>

namespace ks::pack {
namespace {

PackKernel scan(Rank rank, const Spec &spec) {
    PackKernel k{"selective_scan", "avx2", spec, {}, {}, "", rank};
    for (const auto &[name, value] : spec.fixed) k.box[name] = {value, value};
    return k;
}

TEST(Table, TunedThenUsualThenBaseKernels) {
    const std::map<std::string, std::string> choices = {{"io", "bf16"}};
    PackKernel base = scan(Rank::base, {choices, {}}),
               usual = scan(Rank::usual, {choices, {{"N", 16}}, {{"D", 8}}}),
               tuned = scan(Rank::tuned, {choices, {{"D", 2944}, {"N", 16}}});
    std::string text = table_source({base, usual, tuned});
    auto row = [&](const PackKernel &k) {
        size_t end = text.find(k.symbol() + "_argv},"), begin = text.rfind('\n', end);
        EXPECT_NE(end, std::string::npos);
        return std::make_pair(begin, text.substr(begin, end - begin));
    };
    EXPECT_LT(row(tuned).first, row(usual).first);
    EXPECT_LT(row(usual).first, row(base).first);
    // Lowest and highest T, D and N, what they are multiples of, sequences, device, capability, whether it
    // is a base kernel.
    EXPECT_NE(row(tuned).second.find("{1, 2944, 16, }, {16777216, 2944, 16, }, {1, 1, 1, }, 1, "),
              std::string::npos)
        << row(tuned).second;
    EXPECT_NE(row(usual).second.find("16, }, {1, 8, 1, }, 1, "), std::string::npos) << row(usual).second;
    EXPECT_NE(row(usual).second.find("nullptr, 0, 0, "), std::string::npos) << row(usual).second;
    EXPECT_NE(row(base).second.find("256, }, {1, 1, 1, }, 1, "), std::string::npos) << row(base).second;
    EXPECT_NE(row(base).second.find("nullptr, 0, 1, "), std::string::npos) << row(base).second;
}

// Tiles with wgmma are for one architecture, those with mma for all.
TEST(Table, SaysWhichArchitectureHasTheInstructions) {
    for (const PackKernel &k : default_kernels({"cuda"})) {
        const bool tiles = k.knobs.has("form") && k.knobs["form"] == "tiles";
        EXPECT_EQ(k.capability(), tiles && k.knobs["unit"] == "wgmma" ? 90 : 0) << k.identity();
    }
}

} // namespace
} // namespace ks::pack
