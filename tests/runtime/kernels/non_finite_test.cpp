// SPDX-License-Identifier: Apache-2.0
// What NaN and infinity in an operand do, for every base kernel of the pack: what the contracts say.
#include "tests/runtime/kernels/pack_call.h"
#include "tests/support/op_check.h"
#include "tests/support/op_shapes.h"

namespace ks::test {
namespace {

class NonFinite : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (std::string why = missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
    }
};

TEST_P(NonFinite, DoesWhatTheContractsSay) {
    Library one = library(1, GetParam());
    auto run = [&](const OpProblem &p) {
        PackCall call(p);
        EXPECT_EQ(call.launch(one.get()), KS_OK) << ks_last_error();
        Results got;
        for (const auto &o : p.contract->operands)
            if (written(o)) got[o.name] = call.get(o.name);
        return got;
    };
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        plant_non_finite(random_problem(c.name, choices_of(*k), dims_at(c, {7, 37, 5, 6, 2})), run);
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, NonFinite, testing::ValuesIn(all_targets()));

} // namespace
} // namespace ks::test
