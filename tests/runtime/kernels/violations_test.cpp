// SPDX-License-Identifier: Apache-2.0
// Every way to break the contract of every op, one at a time: each has its status and its line, and nothing
// runs.
#include "runtime/base/cpu.h"
#include "tests/runtime/kernels/pack_call.h"
#include "tests/support/op_shapes.h"
#include <functional>

namespace ks::test {
namespace {

class OpViolations : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (!cpu_has("avx2")) GTEST_SKIP() << "this CPU has no avx2";
        library_ = library(2, "avx2");
        for (const KernelInfo *k : kernels_of("avx2", true))
            if (GetParam() == kernel_table.ops[k->op].name && !kernel_) kernel_ = k;
        if (!kernel_) GTEST_SKIP() << GetParam() << " has no kernel for CPUs";
        const Contract &c = contract();
        starts_ = c.ragged.empty() ? std::vector<int>() : std::vector<int>{0, 2, 7};
        problem_ = random_problem(c.name, choices_of(*kernel_), dims_at(c, {7, 20, 4, 3, 2}), true, starts_);
        PackCall legal(problem_);
        ASSERT_EQ(legal.launch(library_.get()), KS_OK) << ks_last_error();
    }
    const Contract &contract() const { return contract_of(*kernel_); }

    // `damage` makes one thing wrong: `status` says so, the line names `field`, and no result is touched.
    void refuses(ks_status status, const std::string &field, const std::function<void(PackCall &)> &damage) {
        SCOPED_TRACE(field);
        PackCall call(problem_);
        damage(call);
        EXPECT_EQ(call.launch(library_.get()), status) << ks_last_error();
        EXPECT_EQ(std::string(ks_last_error()).rfind(GetParam() + "." + field, 0), 0u) << ks_last_error();
        EXPECT_EQ(call.supported(library_.get()), status);
        for (const auto &o : contract().operands)
            if (written(o)) {
                EXPECT_EQ(call.get(o.name), problem_.in.at(o.name)) << o.name;
            }
    }
    void refuses_value(ks_status status, const std::string &field, int64_t value) {
        refuses(status, field, [&](PackCall &call) { call.slot(field) = value; });
    }

    Library library_{nullptr, ks_destroy};
    const KernelInfo *kernel_ = nullptr;
    std::vector<int> starts_;
    OpProblem problem_;
};

TEST_P(OpViolations, StructSize) {
    refuses(KS_ERROR_STRUCT_SIZE, "size", [](PackCall &call) { call.slot("size") -= 8; });
    refuses(KS_ERROR_STRUCT_SIZE, "size", [](PackCall &call) { call.slot("size") += 8; });
}

TEST_P(OpViolations, NullArgumentsAndLibrary) {
    PackCall call(problem_);
    EXPECT_EQ(call.launch(nullptr), KS_ERROR_NULL);
    EXPECT_EQ(ks::launch(library_.get(), op_index(GetParam()), nullptr), KS_ERROR_NULL);
    EXPECT_EQ(ks::supported(library_.get(), op_index(GetParam()), nullptr), KS_ERROR_NULL);
}

TEST_P(OpViolations, StreamOnACpu) { refuses_value(KS_ERROR_RANGE, "stream", 8); }

TEST_P(OpViolations, Dimensions) {
    for (const auto &d : contract().dims)
        for (int64_t wrong : {d.low - 1, int64_t{-1}, d.high + 1, INT64_MAX, INT64_MIN})
            refuses_value(KS_ERROR_RANGE, d.name, wrong);
}

TEST_P(OpViolations, Choices) {
    for (const auto &[name, values] : contract().choices)
        for (int64_t wrong : {int64_t{-1}, static_cast<int64_t>(values.size()), int64_t{1} << 40})
            refuses_value(KS_ERROR_RANGE, name, wrong);
}

TEST_P(OpViolations, NullOperands) {
    for (const auto &o : contract().operands)
        if (o.role != Role::optional) refuses_value(KS_ERROR_NULL, o.name, 0);
}

TEST_P(OpViolations, Alignment) {
    for (const auto &o : contract().operands)
        refuses(KS_ERROR_ALIGNMENT, o.name, [&](PackCall &call) { call.slot(o.name) += 1; });
}

TEST_P(OpViolations, Strides) {
    for (const auto &o : contract().operands) {
        if (!o.strided) continue;
        std::string field = o.name + "_stride";
        auto row = static_cast<int64_t>(problem_.count(o)) / problem_.shape(o)[0];
        for (int64_t wrong : {row - 1, int64_t{-1}, -row})
            if (wrong) refuses_value(KS_ERROR_STRIDE, field, wrong); // 0 means dense
        for (int64_t wrong : {int64_t{1} << 31, int64_t{1} << 62, INT64_MAX})
            refuses_value(KS_ERROR_RANGE, field, wrong);
        refuses(KS_ERROR_RANGE, o.name, [&](PackCall &call) { call.slot(field) = INT32_MAX; });
    }
}

TEST_P(OpViolations, ResultsOverAnotherOperand) {
    for (const auto &o : contract().operands) {
        if (!written(o)) continue;
        for (const auto &other : contract().operands)
            if (o.name != other.name && (o.role != Role::output || o.stand_in != other.name)) {
                SCOPED_TRACE(o.name + " over " + other.name);
                PackCall call(problem_);
                call.slot(o.name) = call.slot(other.name) / 4 * 4;
                EXPECT_EQ(call.launch(library_.get()), KS_ERROR_OVERLAP) << ks_last_error();
                EXPECT_EQ(call.damage(), "");
            }
    }
}

class RaggedViolations : public OpViolations {};

TEST_P(RaggedViolations, Sequences) {
    refuses_value(KS_ERROR_RANGE, "sequences", 0);
    refuses_value(KS_ERROR_RANGE, "sequences", 8); // of 7 steps
    refuses_value(KS_ERROR_RANGE, "sequences", INT64_MAX);
    refuses_value(KS_ERROR_RANGE, "seq_start", 0); // 7 steps are not two equal sequences
    refuses_value(KS_ERROR_ALIGNMENT, "seq_start", 4);
    for (auto [at, value] :
         {std::pair<size_t, int64_t>{0, 1}, {0, -1}, {1, 0}, {1, 7}, {1, 8}, {1, -3}, {2, 6}, {2, 8}})
        refuses(KS_ERROR_RANGE, "seq_start",
                [at = at, value = value](PackCall &call) { call.starts()[at] = value; });
}

std::vector<std::string> ops(bool ragged_only) {
    std::vector<std::string> names;
    for (int i = 0; i < kernel_table.op_count; i++)
        if (!ragged_only || kernel_table.ops[i].ragged >= 0) names.push_back(kernel_table.ops[i].name);
    return names;
}

auto op_name = [](const auto &test) { return test.param; };
INSTANTIATE_TEST_SUITE_P(Ops, OpViolations, testing::ValuesIn(ops(false)), op_name);
INSTANTIATE_TEST_SUITE_P(Ops, RaggedViolations, testing::ValuesIn(ops(true)), op_name);

} // namespace
} // namespace ks::test
