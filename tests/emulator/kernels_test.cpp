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

class EmulatedOp : public testing::TestWithParam<std::string> {
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

    std::vector<const KernelInfo *> kernels(bool base) const {
        std::vector<const KernelInfo *> list;
        for (const KernelInfo *k : kernels_of("cuda", base))
            if (contract_of(*k).name == GetParam() && !k->device) list.push_back(k);
        return list;
    }

    Library library_{nullptr, ks_destroy};
};

TEST_P(EmulatedOp, BaseKernelsMatchTheirOracles) {
    for (const KernelInfo *k : kernels(true))
        for (const Edge &e : {Edge{1, 1, 1, 1, 1}, {2, 20, 16, 8, 3}, {5, 92, 8, 2, 2}, {67, 37, 21, 6, 5}})
            matches_oracle(random_problem(GetParam(), choices_of(*k), dims_at(contract_of(*k), e)), 3);
}

// Those for common sizes, near the least that they serve.
TEST_P(EmulatedOp, UsualKernelsMatchTheirOracles) {
    constexpr double most_work = 5e6; // of elements that the dimensions span
    for (const KernelInfo *k : kernels(false)) {
        const Contract &c = contract_of(*k);
        std::set<Dims> seen;
        for (int64_t more : {0, 2, 66}) {
            Dims dims;
            double work = 1;
            for (size_t i = 0; i < c.dims.size(); i++) {
                int64_t multiple = k->multiple[i], low = std::max(k->low[i], multiple);
                int64_t n = std::min(k->high[i],
                                     low + (c.dims[i].width ? multiple * std::min<int64_t>(more, 4) : more));
                dims[c.dims[i].name] = n / multiple * multiple;
                work *= static_cast<double>(n);
            }
            if (dims.count("R") && dims.count("T")) dims["T"] = std::max(dims["T"], dims["R"]);
            if (work > most_work || !seen.insert(dims).second) continue;
            matches_oracle(random_problem(c.name, choices_of(*k), dims), 0);
            int64_t steps = c.ragged.empty() ? 0 : dims.at(c.ragged);
            if (steps >= 67 && k->most_sequences >= 3)
                matches_oracle(
                    random_problem(c.name, choices_of(*k), dims, true, {0, 1, 40, static_cast<int>(steps)}),
                    0);
        }
    }
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
