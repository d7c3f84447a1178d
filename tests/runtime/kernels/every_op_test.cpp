// SPDX-License-Identifier: Apache-2.0
// Every kernel of the pack through the C interface: threads change no bit, and sequences packed into one call give
// what separate calls give. Arguments are made from the pack's own table, so that a new op is covered at once.
#include "runtime/base/cpu.h"
#include "runtime/base/dtype.h"
#include "runtime/kernels/launch.h"
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <set>

namespace ks {
namespace {

using Library = std::unique_ptr<ks_library, void (*)(ks_library *)>;

Library library(int threads, const char *isa) {
    ks_create_args a{sizeof a, threads, isa};
    ks_library *l = nullptr;
    EXPECT_EQ(ks_create(&a, &l), KS_OK) << ks_last_error();
    return {l, ks_destroy};
}

// Large enough that most ops are cut into several tasks.
const std::map<std::string, int64_t> sizes = {{"T", 133}, {"M", 133}, {"R", 133}, {"S", 29}, {"D", 185}, {"H", 185},
                                              {"K", 185}, {"N", 16},  {"P", 7},   {"E", 8},  {"V", 50}};

// One call of an op with random values in buffers of its own.
class OpCall {
  public:
    OpCall(const OpInfo &op, const int *choices, const std::vector<int64_t> &starts = {})
        : op_(op), choices_(choices, choices + op.choice_count), starts_(starts) {
        for (int i = 0; i < op.dim_count; i++) dims_.push_back(sizes.at(op.dims[i].name));
        for (int i = 0; i < op.operand_count; i++) make(op.operands[i], i);
    }

    int64_t count(int i, bool one_sequence = false) const {
        const OperandInfo &o = op_.operands[i];
        int64_t n = o.per_sequence && !one_sequence ? sequences() : 1;
        for (int r = 0; r < o.rank; r++) n *= extent(o.shape[r]) + o.plus[r];
        return n;
    }
    bool written(int i) const {
        return op_.operands[i].role == OperandRole::output || op_.operands[i].role == OperandRole::in_place;
    }
    const std::vector<uint8_t> &bytes(int i) const { return data_[static_cast<size_t>(i)]; }

    // The whole call, or sequence `only` of it alone.
    ks_status launch(const ks_library *l, int op, int64_t only = -1) {
        std::vector<int64_t> slots = {0};
        for (int i = 0; i < op_.dim_count; i++)
            slots.push_back(only >= 0 && i == op_.ragged ? start(only + 1) - start(only) : dims_[static_cast<size_t>(i)]);
        slots.insert(slots.end(), choices_.begin(), choices_.end());
        if (op_.ragged >= 0) {
            slots.push_back(only >= 0 ? 1 : sequences());
            slots.push_back(only >= 0 || starts_.empty() ? 0 : reinterpret_cast<int64_t>(starts_.data()));
        }
        for (int i = 0; i < op_.operand_count; i++) {
            const OperandInfo &o = op_.operands[i];
            int64_t skip = 0;
            if (only >= 0 && o.per_sequence) skip = only * count(i, true);
            else if (only >= 0 && o.rank && o.shape[0] == op_.ragged) skip = start(only) * (count(i) / dims_[static_cast<size_t>(op_.ragged)]);
            slots.push_back(reinterpret_cast<int64_t>(data_[static_cast<size_t>(i)].data() + skip * element(i)));
            if (o.strided) slots.push_back(0);
        }
        for (int i = 0; i < op_.scalar_count; i++) {
            double eps = 1e-5;
            int64_t flags = std::string(op_.name).find("conv") != std::string::npos ? 2 : 8;
            if (op_.scalars[i].real) std::memcpy(&flags, &eps, 8);
            slots.push_back(flags);
        }
        slots[0] = static_cast<int64_t>(slots.size() * 8);
        return ks::launch(l, op, slots.data());
    }

  private:
    int64_t sequences() const { return starts_.empty() ? 1 : static_cast<int64_t>(starts_.size()) - 1; }
    int64_t start(int64_t s) const { return starts_[static_cast<size_t>(s)]; }
    const char *choice(int i) const { return op_.choices[i].values[choices_[static_cast<size_t>(i)]]; }
    int64_t extent(int shape) const { return shape >= 0 ? dims_[static_cast<size_t>(shape)] : std::atoi(choice(-1 - shape)); }
    int element(int i) const {
        int type = op_.operands[i].type;
        return type < 2 || std::strcmp(choice(type - 2), "f32") == 0 ? 4 : 2;
    }

    void make(const OperandInfo &o, int i) {
        data_.emplace_back(static_cast<size_t>(count(i) * element(i)), uint8_t{0xee});
        if (o.role == OperandRole::output) return;
        for (int64_t n = 0; n < count(i); n++) {
            auto v = static_cast<float>(std::sin(static_cast<double>(n) * 12.9898 + i) * 0.7);
            if (!std::strcmp(o.name, "A")) v = -0.1f - std::fabs(v);
            // A permutation of the rows, none twice; ids stay inside their table.
            auto id = static_cast<int32_t>(count(i) - 1 - n);
            uint8_t *to = data_.back().data() + n * element(i);
            if (o.type == 1) std::memcpy(to, &id, 4);
            else if (element(i) == 4) std::memcpy(to, &v, 4);
            else {
                uint16_t half = std::strcmp(choice(o.type - 2), "bf16") == 0 ? bf16_of(v) : f16_of(v);
                std::memcpy(to, &half, 2);
            }
        }
    }

    const OpInfo &op_;
    std::vector<int64_t> choices_, dims_, starts_;
    std::vector<std::vector<uint8_t>> data_;
};

void expect_same(const OpInfo &op, const OpCall &a, const OpCall &b) {
    for (int i = 0; i < op.operand_count; i++)
        if (a.written(i)) {
            EXPECT_EQ(a.bytes(i), b.bytes(i)) << op.operands[i].name;
        }
}

class EveryOp : public testing::TestWithParam<const char *> {
  protected:
    void SetUp() override {
        if (!cpu_has(GetParam())) GTEST_SKIP() << "this CPU has no " << GetParam();
    }
    // Calls `test` with every kernel that runs on this isa.
    template <typename Test> void for_each(const Test &test) const {
        for (int i = 0; i < kernel_table.kernel_count; i++) {
            const KernelInfo &k = kernel_table.kernels[i];
            if (!k.base || std::strcmp(k.isa, GetParam()) != 0) continue;
            const OpInfo &op = kernel_table.ops[k.op];
            std::string name = op.name;
            for (int c = 0; c < op.choice_count; c++)
                name += std::string(" ") + op.choices[c].name + "=" + op.choices[c].values[k.choices[c]];
            SCOPED_TRACE(name);
            test(op, k);
        }
    }
};

TEST_P(EveryOp, ThreadsChangeNoBit) {
    auto one = library(1, GetParam()), two = library(2, GetParam()), three = library(3, GetParam());
    std::set<std::string> seen;
    for_each([&](const OpInfo &op, const KernelInfo &k) {
        seen.insert(op.name);
        OpCall a(op, k.choices), b(op, k.choices), c(op, k.choices), untouched(op, k.choices);
        ASSERT_EQ(a.launch(one.get(), k.op), KS_OK) << ks_last_error();
        ASSERT_EQ(b.launch(two.get(), k.op), KS_OK) << ks_last_error();
        ASSERT_EQ(c.launch(three.get(), k.op), KS_OK) << ks_last_error();
        expect_same(op, a, b);
        expect_same(op, a, c);
        bool wrote = false;
        for (int i = 0; i < op.operand_count; i++) {
            if (a.written(i)) wrote |= a.bytes(i) != untouched.bytes(i);
            else EXPECT_EQ(a.bytes(i), untouched.bytes(i)) << op.operands[i].name << " is an input";
        }
        EXPECT_TRUE(wrote);
    });
    EXPECT_EQ(seen.size(), static_cast<size_t>(kernel_table.op_count));
}

TEST_P(EveryOp, PackedSequencesEqualSeparateCalls) {
    auto one = library(1, GetParam()), two = library(2, GetParam());
    std::set<std::string> ragged;
    for_each([&](const OpInfo &op, const KernelInfo &k) {
        if (op.ragged < 0) return;
        ragged.insert(op.name);
        const std::vector<int64_t> starts = {0, 1, 3, 70, sizes.at("T")};
        OpCall packed(op, k.choices, starts), separate(op, k.choices, starts);
        ASSERT_EQ(packed.launch(two.get(), k.op), KS_OK) << ks_last_error();
        for (int64_t s = 0; s + 1 < static_cast<int64_t>(starts.size()); s++)
            ASSERT_EQ(separate.launch(one.get(), k.op, s), KS_OK) << ks_last_error();
        expect_same(op, packed, separate);
    });
    EXPECT_EQ(ragged, (std::set<std::string>{"selective_scan", "causal_conv1d"}));
}

INSTANTIATE_TEST_SUITE_P(X86, EveryOp, testing::Values("avx2", "avx512"));

} // namespace
} // namespace ks
