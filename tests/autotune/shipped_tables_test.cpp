// SPDX-License-Identifier: Apache-2.0
// The tables that are kept in git for GPUs: every kernel that they name can be built for the device of its
// table within the resources of a shipped kernel.
#include "autotune/dispatch.h"
#include "autotune/kernel_of.h"
#include "schedules/registry.h"
#include "tests/support/gpu_resources.h"
#include <algorithm>
#include <filesystem>
#include <gtest/gtest.h>
#include <set>

namespace ks::tune {
namespace {

std::vector<std::string> shipped_tables() {
    std::vector<std::string> paths;
    for (const auto &file : std::filesystem::directory_iterator(KS_SOURCE_DIR "/schedules/tuned"))
        paths.push_back(file.path().string());
    std::sort(paths.begin(), paths.end());
    return paths;
}

// A table has a hundred kernels, some 0.6 s each: parts of it are tests of their own, which run side by side.
constexpr int parts = 4;

class ShippedTable : public testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(ShippedTable, NamesKernelsWithinTheirResources) {
    auto ptxas = ptx::Ptxas::find();
    if (!ptxas) GTEST_SKIP() << "there is no ptxas on this machine";
    auto [path, part] = GetParam();
    Table table = load_table(path);
    for (const Rule &r : table.rules)
        EXPECT_TRUE(space_of(r.op, {r.choices, r.fixed}, r.isa).legal(parse_knobs(r.knobs)))
            << r.op << " " << r.knobs;
    std::vector<std::string> stale;
    std::set<std::string> seen;
    int number = 0;
    for (const pack::PackKernel &k : tuned_kernels(table, {"cuda"}, stale)) {
        std::string name = k.op + " " + k.spec.text() + " {" + k.knobs.text() + "}";
        if (!seen.insert(name).second || number++ % parts != part) continue;
        SCOPED_TRACE(name);
        test::expect_few_spills(op_named(k.op).build(k.spec, k.knobs, kernel_target(k.isa)), *ptxas,
                                {"sm_90"}); // of an H100 and an H200
    }
    EXPECT_TRUE(stale.empty());
    EXPECT_GE(number, parts) << "the table was not read";
}

INSTANTIATE_TEST_SUITE_P(Tables, ShippedTable,
                         testing::Combine(testing::ValuesIn(shipped_tables()), testing::Range(0, parts)),
                         [](const auto &test) {
                             std::string name =
                                 std::filesystem::path(std::get<0>(test.param)).stem().string();
                             std::replace_if(
                                 name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
                             return name + "_" + std::to_string(std::get<1>(test.param));
                         });

} // namespace
} // namespace ks::tune
