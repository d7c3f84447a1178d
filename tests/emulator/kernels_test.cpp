// SPDX-License-Identifier: Apache-2.0
// The pack's GPU kernels against their oracles at small sizes. Meant for the emulated driver, which ctest
// puts first in the path of libraries: it also finds races and accesses that are not allowed. With another
// driver they run on its device.
#include "tests/runtime/kernels/pack_call.h"
#include "tests/support/op_check.h"
#include "tests/support/op_shapes.h"
#include <algorithm>
#include <set>

namespace ks::test {
namespace {

class EmulatedPack : public testing::Test {
  protected:
    void SetUp() override {
        if (std::string why = missing("cuda"); !why.empty()) GTEST_SKIP() << why;
        library_ = library(1, "cuda");
    }

    void matches_oracle(const OpProblem &p, int64_t between) {
        PackCall call(p, between);
        EXPECT_EQ(call.launch(library_.get()), KS_OK) << p.text() << ": " << ks_last_error();
        EXPECT_EQ(call.damage(), "") << p.text();
        Results got, wanted = expected(p);
        for (const auto &[name, values] : wanted) got[name] = call.get(name);
        expect_within_contract(p, got, wanted);
    }

    Library library_{nullptr, ks_destroy};
};

class EmulatedOp : public EmulatedPack, public testing::WithParamInterface<std::string> {};

// Near the least that a kernel serves: `more` steps or rows, a few widths more.
Dims dims_near(const KernelInfo &k, int64_t more) {
    const Contract &c = contract_of(k);
    Dims dims;
    for (size_t i = 0; i < c.dims.size(); i++) {
        int64_t multiple = k.multiple[i], low = std::max(k.low[i], multiple);
        int64_t n = low + (c.dims[i].width ? multiple * std::min<int64_t>(more, 4) : more);
        dims[c.dims[i].name] = std::min(k.high[i], n) / multiple * multiple;
    }
    if (dims.count("R") && dims.count("T")) dims["T"] = std::max(dims["T"], dims["R"]);
    return dims;
}

bool is_small(const Dims &dims) {
    double work = 1;
    for (const auto &[name, extent] : dims) work *= static_cast<double>(extent);
    return work < 2e7;
}

TEST_P(EmulatedOp, BaseKernelsMatchTheirOracles) {
    int tried = 0;
    for (const KernelInfo *k : kernels_of("cuda", true)) {
        const Contract &c = contract_of(*k);
        if (c.name != GetParam()) continue;
        tried++;
        for (const Edge &e : {Edge{1, 1, 1, 1, 1}, {2, 20, 16, 8, 3}, {5, 92, 8, 2, 2}, {67, 37, 21, 6, 5}})
            matches_oracle(random_problem(c.name, choices_of(*k), dims_at(c, e)), 3);
    }
    EXPECT_GT(tried, 0);
}

TEST_F(EmulatedPack, UsualKernelsMatchTheirOracles) {
    std::set<std::string> tried;
    for (const KernelInfo *k : kernels_of("cuda", false)) {
        const Contract &c = contract_of(*k);
        std::set<Dims> seen;
        for (int64_t more : {0, 2, 66}) {
            const Dims dims = dims_near(*k, more);
            if (k->device || !is_small(dims) || !seen.insert(dims).second) continue;
            tried.insert(c.name);
            matches_oracle(random_problem(c.name, choices_of(*k), dims), 0);
            if (c.ragged.empty() || dims.at(c.ragged) < 67 || k->most_sequences < 3) continue;
            std::vector<int> starts = {0, 1, 40, static_cast<int>(dims.at(c.ragged))};
            matches_oracle(random_problem(c.name, choices_of(*k), dims, true, starts), 0);
        }
    }
    EXPECT_EQ(tried, (std::set<std::string>{"linear", "selective_scan", "selective_state_update"}));
}

// Each of the ranges of rows that have a kernel of their own, of few columns and of more.
TEST_F(EmulatedPack, UsualProductsOfEveryRangeMatchTheirOracles) {
    for (const char *io : {"bf16", "f16"})
        for (auto [rows, K] : {std::pair{1, 72}, {8, 200}, {9, 8}, {17, 136}, {65, 72}, {129, 8}, {257, 72}})
            for (int columns : {40, 264})
                matches_oracle(random_problem("linear",
                                              {{"io", io}, {"weight", io}, {"out", io}, {"panel", "1"}},
                                              {{"M", rows}, {"K", K}, {"P", columns}}),
                               0);
}

// What was tuned for one GPU, where the driver's device has its name: all but tiles, at the least rows and
// steps that the rules are for.
TEST_F(EmulatedPack, TunedKernelsMatchTheirOracles) {
    int tried = 0;
    for (const KernelInfo *k : kernels_of("cuda", false)) {
        const Dims dims = dims_near(*k, 0);
        bool tiles = std::string(k->knobs).find("form=tiles") != std::string::npos;
        if (!k->device || library_->device->name != k->device || tiles || !is_small(dims)) continue;
        tried++;
        matches_oracle(random_problem(contract_of(*k).name, choices_of(*k), dims), 0);
    }
    if (!tried) GTEST_SKIP() << library_->device->name << " has no tuned kernels of small sizes";
}

std::vector<std::string> ops() {
    std::vector<std::string> names;
    for (const Op &op : all_ops())
        if (op.cuda.build) names.push_back(op.contract.name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, EmulatedOp, testing::ValuesIn(ops()), [](const auto &i) { return i.param; });

} // namespace
} // namespace ks::test
