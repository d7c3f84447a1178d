// SPDX-License-Identifier: Apache-2.0
// Every kernel of the pack through the C interface: against its oracle over edge shapes and ragged batches,
// with one thread and with several. Calls are made from the contracts, so that a new op is covered at once.
#include "tests/runtime/kernels/pack_call.h"
#include "tests/support/op_check.h"
#include "tests/support/op_shapes.h"
#include <algorithm>
#include <set>

namespace ks::test {
namespace {

constexpr int64_t padding = 3; // elements between rows

class EveryOp : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override {
        if (std::string why = missing(GetParam()); !why.empty()) GTEST_SKIP() << why;
        for (int threads : {1, 2, 3}) libraries_.push_back(library(threads, GetParam()));
    }

    PackCall &run(PackCall &call, int threads) {
        EXPECT_EQ(call.launch(libraries_.at(static_cast<size_t>(threads) - 1).get()), KS_OK)
            << ks_last_error();
        return call;
    }

    void matches_oracle(const OpProblem &p, int threads, int64_t between = padding) {
        PackCall call(p, between);
        run(call, threads);
        EXPECT_EQ(call.damage(), "") << p.text();
        Results got, wanted = expected(p);
        for (const auto &[name, values] : wanted) got[name] = call.get(name);
        expect_within_contract(p, got, wanted);
    }

    std::vector<Library> libraries_; // of one, two and three threads
};

// Sequences of uneven length, one of a single step among them.
std::vector<int> ragged(int64_t steps, int64_t sequences) {
    std::vector<int> starts;
    for (int64_t s = 0; s < sequences; s++)
        starts.push_back(static_cast<int>(std::max(s, steps * s * s / (sequences * sequences))));
    starts.push_back(static_cast<int>(steps));
    return starts;
}

TEST_P(EveryOp, MatchesItsOracleOverEdgeShapes) {
    std::set<std::string> seen;
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        seen.insert(c.name);
        size_t turn = 0;
        for (const Dims &dims : edge_dims(c)) {
            turn++;
            matches_oracle(random_problem(c.name, choices_of(*k), dims, turn % 3 != 0),
                           1 + static_cast<int>(turn % 2));
        }
    }
    size_t due = 0; // some ops are for one family of targets alone
    for (const Op &op : all_ops()) due += (GetParam() == "cuda" ? op.cuda : op.x86).build != nullptr;
    EXPECT_EQ(seen.size(), due);
}

TEST_P(EveryOp, MatchesItsOracleForRaggedBatches) {
    std::set<std::string> seen;
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        if (c.ragged.empty()) continue;
        seen.insert(c.name);
        for (int64_t sequences : {1, 2, 3, 4, 5})
            for (int64_t steps : {sequences, int64_t{23}, int64_t{257}})
                for (int64_t width : {20, 184})
                    matches_oracle(random_problem(c.name, choices_of(*k), dims_at(c, {steps, width, 8, 1, 1}),
                                                  true, ragged(steps, sequences)),
                                   1 + static_cast<int>(sequences % 2));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"selective_scan", "causal_conv1d"}));
}

// The product of extents: `widths` alone, which is about the elements of weights, or of one expert all, which
// is about what an oracle multiplies.
double product_of(const Contract &c, const Dims &dims, bool widths) {
    double all = 1;
    for (const auto &d : c.dims)
        if (widths ? d.width && d.name != "B" : d.name != "G" && d.name != "B" && d.name != "E")
            all *= static_cast<double>(dims.at(d.name));
    return all;
}

// The ends and the middle of the box that a tuned or usual kernel serves, as far as inputs and oracle take no
// more than seconds: where it was measured, larger ones were compared too.
std::set<Dims> points_of(const KernelInfo &k) {
    constexpr double most_work = 3e8, many_weights = 2e7;
    const Contract &c = contract_of(k);
    std::set<Dims> points;
    for (int64_t part : {1, 0, 2}) {
        Dims dims;
        for (size_t i = 0; i < c.dims.size(); i++) {
            int64_t multiple = k.multiple[i], low = std::max(k.low[i], multiple);
            int64_t enough = c.dims[i].width ? 40 * multiple : 257; // more than what is narrow
            int64_t high = std::min(k.high[i], std::max(low, enough));
            dims[c.dims[i].name] = (low + (high - low) * part / 2) / multiple * multiple;
        }
        if (dims.count("R") && dims.count("T")) dims["T"] = std::max(dims["T"], dims["R"]);
        if (product_of(c, dims, false) <= most_work) points.insert(dims);
        if (product_of(c, dims, true) > many_weights && !points.empty()) break;
    }
    return points;
}

TEST_P(EveryOp, OtherThanBaseKernelsMatchTheirOracles) {
    for (const KernelInfo *k : kernels_of(GetParam(), false)) {
        const Contract &c = contract_of(*k);
        for (const Dims &dims : points_of(*k)) {
            matches_oracle(random_problem(c.name, choices_of(*k), dims, true), 2, 0);
            int64_t steps = c.ragged.empty() ? 0 : dims.at(c.ragged);
            if (steps >= 5 && k->most_sequences >= 5)
                matches_oracle(random_problem(c.name, choices_of(*k), dims, true, ragged(steps, 5)), 2, 0);
        }
    }
}

// Large enough that most ops are cut into several tasks.
constexpr Edge large = {133, 185, 16, 8, 7};

TEST_P(EveryOp, ThreadsChangeNoBit) {
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        OpProblem p = random_problem(c.name, choices_of(*k), dims_at(c, large));
        SCOPED_TRACE(p.text());
        PackCall one(p), two(p), three(p);
        run(one, 1), run(two, 2), run(three, 3);
        for (const auto &o : c.operands) {
            if (!written(o)) continue;
            EXPECT_EQ(one.bytes(o.name), two.bytes(o.name)) << o.name;
            EXPECT_EQ(one.bytes(o.name), three.bytes(o.name)) << o.name;
        }
    }
}

// What results held before the call changes nothing that the op writes; the rest, which the oracle leaves
// alone too, keeps it.
TEST_P(EveryOp, ResultsDoNotDependOnWhatWasThere) {
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        std::vector<int> starts = c.ragged.empty() ? std::vector<int>() : std::vector<int>{0, 1, 40, 133};
        OpProblem p = random_problem(c.name, choices_of(*k), dims_at(c, large), true, starts), poisoned = p;
        SCOPED_TRACE(p.text());
        std::vector<std::string> results;
        for (const auto &o : c.operands)
            if (o.role == Role::output && o.type != "i32") results.push_back(o.name);
        for (const auto &name : results)
            for (double &v : poisoned.in.at(name)) v = std::nan("");
        Results wanted = expected(poisoned);
        PackCall fresh(p), stained(poisoned);
        run(fresh, 1), run(stained, 1);
        for (const auto &name : results) {
            Values clean = fresh.get(name), got = stained.get(name);
            for (size_t i = 0; i < got.size(); i++) {
                bool kept = std::isnan(wanted.at(name)[i]);
                ASSERT_TRUE(kept ? std::isnan(got[i]) : got[i] == clean[i]) << name << " " << i;
            }
        }
    }
}

// Rows [from, to) of operand values that have `steps` of them.
Values rows(const Values &v, int64_t steps, int64_t from, int64_t to) {
    auto row = static_cast<int64_t>(v.size()) / steps;
    return {v.begin() + from * row, v.begin() + to * row};
}

TEST_P(EveryOp, PackedSequencesEqualSeparateCalls) {
    const std::vector<int> starts = {0, 1, 3, 70, 133};
    for (const KernelInfo *k : kernels_of(GetParam(), true)) {
        const Contract &c = contract_of(*k);
        if (c.ragged.empty()) continue;
        OpProblem whole = random_problem(c.name, choices_of(*k), dims_at(c, large), true, starts);
        SCOPED_TRACE(whole.text());
        PackCall packed(whole);
        run(packed, 2);
        for (int s = 0; s < 4; s++) {
            int from = starts[static_cast<size_t>(s)], to = starts[static_cast<size_t>(s) + 1];
            OpProblem part = whole;
            part.seq_start.clear();
            part.dims[c.ragged] = to - from;
            auto piece = [&](const Operand &o, const Values &v) {
                if (o.per_sequence) return rows(v, 4, s, s + 1);
                return o.shape[0] == c.ragged ? rows(v, 133, from, to) : v;
            };
            for (const auto &o : c.operands) part.in[o.name] = piece(o, whole.in.at(o.name));
            PackCall alone(part);
            run(alone, 1);
            for (const auto &o : c.operands)
                if (written(o)) {
                    EXPECT_EQ(alone.get(o.name), piece(o, packed.get(o.name))) << o.name << " " << s;
                }
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Targets, EveryOp, testing::ValuesIn(all_targets()));

} // namespace
} // namespace ks::test
