// SPDX-License-Identifier: Apache-2.0
// Kernels with fixed widths of every op, over all storages and other choices: against the oracles, inside
// guarded memory, and with NaN and infinity planted. (Base kernels: tests/runtime/kernels/every_op_test.cpp.)
#include "tests/support/op_call.h"
#include "tests/support/op_check.h"
#include "tests/support/op_shapes.h"
#include <algorithm>
#include <set>

namespace ks::test {
namespace {

// Few specs in which every value of every choice is met: values go round together.
std::vector<Spec> covering(const std::vector<Spec> &all) {
    std::vector<Spec> list;
    std::set<std::pair<std::string, std::string>> met;
    for (const Spec &spec : all) {
        bool news = std::any_of(spec.choices.begin(), spec.choices.end(),
                                [&](const auto &c) { return !met.count(c); });
        if (!news && !spec.choices.empty()) continue;
        met.insert(spec.choices.begin(), spec.choices.end());
        list.push_back(spec);
    }
    return list;
}

Results run_fixed(const OpProblem &p, const std::string &isa) {
    OpCall call(p.contract->name, p.choices, p.dims, isa, true);
    for (const auto &[name, values] : p.in) call.set(name, values);
    for (const auto &s : p.contract->scalars) {
        if (s.type == "i32")
            call.set_integer(s.name, p.present());
        else
            call.set_real(s.name, static_cast<float>(p.eps));
    }
    EXPECT_EQ(call.run(), "") << p.text();
    Results got;
    for (const auto &o : p.contract->operands) {
        if (!written(o)) continue;
        got[o.name] = call.get(o.name);
    }
    return got;
}

class FixedKernels : public testing::TestWithParam<std::string> {};

TEST_P(FixedKernels, MatchTheirOracles) {
    const Op &op = op_named(GetParam());
    for (const std::string &isa : isas()) {
        size_t turn = isa == "avx2" ? 0 : 1; // the other widths
        for (const Spec &spec : covering(base_specs(op, kernel_target(isa)))) {
            bool wide = turn++ % 2;
            for (int64_t length : {1, 2, 3, 5, 257}) {
                Edge e{length, wide ? 184 : 20, wide ? 8 : 5, wide ? 16 : 6, wide ? 3 : 2};
                OpProblem p =
                    random_problem(op.contract.name, spec.choices, dims_at(op.contract, e), length != 3);
                expect_within_contract(p, run_fixed(p, isa), expected(p));
                if (length == 5)
                    plant_non_finite(p, [&](const OpProblem &planted) { return run_fixed(planted, isa); });
            }
        }
    }
}

std::vector<std::string> ops() {
    std::vector<std::string> names;
    for (const Op &op : all_ops()) names.push_back(op.contract.name);
    return names;
}

INSTANTIATE_TEST_SUITE_P(Ops, FixedKernels, testing::ValuesIn(ops()),
                         [](const auto &test) { return test.param; });

} // namespace
} // namespace ks::test
