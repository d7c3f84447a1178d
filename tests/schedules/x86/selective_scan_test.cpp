// SPDX-License-Identifier: Apache-2.0
// Selective scan and state update against the double-precision loop: shapes, storages, options, knobs,
// pieces, NaN.
#include "HalideBuffer.h"
#include "tests/oracles/selective_scan.h"
#include "tests/support/jit_kernel.h"
#include "tests/support/op_call.h"
#include <cmath>
#include <gtest/gtest.h>
#include <limits>

namespace ks::test {
namespace {

using Values = std::vector<double>;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double log_2 = 0.69314718055994530942;
enum Flags { gated = 1, skip = 2, bias = 4, softplus = 8, all = 15 };

struct Shape {
    bool update; // else a scan
    int count;   // sequences, or time steps of the one sequence
    int channels, states;
    int sequences() const { return update ? count : 1; }
};

// One problem: the operands as the kernel takes them, by name.
struct Problem {
    Shape shape;
    std::string io;
    int flags;
    std::map<std::string, Values> in;

    Problem(const Shape &s, const std::string &storage, int set) : shape(s), io(storage), flags(set) {
        size_t rows = static_cast<size_t>(s.count), D = static_cast<size_t>(s.channels),
               N = static_cast<size_t>(s.states);
        auto random = [&](size_t n, int seed, double scale = 1) {
            return stored(io, normal(n, seed, scale));
        };
        in = {{"u", random(rows * D, 1)},
              {"dt", random(rows * D, 2)},
              {"z", random(rows * D, 3)},
              {"B", random(rows * N, 4)},
              {"C", random(rows * N, 5)},
              {"A", normal(N * D, 6)},
              {"D_skip", normal(D, 7)},
              {"dt_bias", normal(D, 8)},
              {"state", normal(static_cast<size_t>(s.sequences()) * N * D, 9)}};
        for (double &a : in["A"]) a = static_cast<float>(-std::exp(a) / log_2); // times log2(e)
        if (!(flags & softplus)) // steps are then taken as they are: not negative
            for (const char *name : {"dt", "dt_bias"})
                for (double &v : in[name]) v = std::fabs(v);
        const std::pair<int, const char *> optional[] = {{gated, "z"}, {skip, "D_skip"}, {bias, "dt_bias"}};
        for (const auto &[flag, name] : optional) // what is not there must not be used
            if (!(flags & flag)) in[name].assign(in[name].size(), nan);
    }
    std::string op() const { return shape.update ? "selective_state_update" : "selective_scan"; }
    Dims dims() const {
        return {{shape.update ? "S" : "T", shape.count}, {"D", shape.channels}, {"N", shape.states}};
    }
};

struct Result {
    Values y, state;
};

// `parts` matrices [rows, columns] -> [columns, rows]
Values transposed(const Values &v, size_t parts, size_t rows) {
    size_t columns = v.size() / parts / rows;
    Values t(v.size());
    for (size_t p = 0; p < parts; p++)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                t[(p * columns + c) * rows + r] = v[(p * rows + r) * columns + c];
    return t;
}

Result expected(const Problem &p) {
    const auto &in = p.in;
    size_t N = static_cast<size_t>(p.shape.states), D = static_cast<size_t>(p.shape.channels);
    size_t S = static_cast<size_t>(p.shape.sequences());
    oracle::SelectiveScan o;
    o.channels = p.shape.channels;
    o.states = p.shape.states;
    o.seq_start = {0, p.shape.count};
    o.u = in.at("u"), o.dt = in.at("dt"), o.B = in.at("B"), o.C = in.at("C");
    o.A = transposed(in.at("A"), 1, N);
    for (double &a : o.A) a *= log_2;
    if (p.flags & gated) o.z = in.at("z");
    if (p.flags & skip) o.D = in.at("D_skip");
    if (p.flags & bias) o.dt_bias = in.at("dt_bias");
    o.softplus = p.flags & softplus;
    o.h = transposed(in.at("state"), S, N);
    Values y = p.shape.update ? oracle::selective_state_update(o) : oracle::selective_scan(o);
    return {y, transposed(o.h, S, D)};
}

Result computed(const Problem &p, const std::string &isa, bool fixed) {
    OpCall call(p.op(), {{"io", p.io}}, p.dims(), isa, fixed);
    for (const auto &[name, values] : p.in) call.set(name, values);
    call.set_integer("flags", p.flags);
    EXPECT_EQ(call.run(), "");
    return {call.get("y"), call.get("state")};
}

double tolerance(const std::string &io) { return io == "f32" ? 2e-6 : io == "bf16" ? 5e-3 : 7e-4; }

void compare(const Problem &p, const Result &got, const std::string &how) {
    SCOPED_TRACE(testing::Message() << p.op() << " " << p.io << " " << how << " count=" << p.shape.count
                                    << " D=" << p.shape.channels << " N=" << p.shape.states
                                    << " flags=" << p.flags);
    Result wanted = expected(p);
    EXPECT_LE(error_of(got.y, wanted.y), tolerance(p.io));
    EXPECT_LE(error_of(got.state, wanted.state), 2e-6);
}

void check(const Problem &p, const std::string &isa, bool fixed) {
    compare(p, computed(p, isa, fixed), isa + (fixed ? " fixed" : " base"));
}

class SelectiveScan : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Forms, SelectiveScan, testing::Bool(),
                         [](const auto &test) { return std::string(test.param ? "update" : "scan"); });

TEST_P(SelectiveScan, ShapesOfTheBaseKernel) {
    for (const auto &isa : isas())
        for (int count : {1, 2, 3, 33, 257})
            for (int channels : {1, 7, 20, 92, 184, 1472})
                for (int states : {1, 8, 16, 64, 256})
                    if (static_cast<int64_t>(count) * channels * states < 400000)
                        check({{GetParam(), count, channels, states}, "f32", all}, isa, false);
}

TEST_P(SelectiveScan, Storages) {
    for (const auto &isa : isas())
        for (const char *io : {"f32", "bf16", "f16"})
            for (int states : {1, 3, 16, 21}) {
                check({{GetParam(), 33, 92, states}, io, all}, isa, false);
                check({{GetParam(), 3, 7, states}, io, all}, isa, false);
            }
}

TEST_P(SelectiveScan, LongAndWide) {
    for (const auto &isa : isas()) check({{GetParam(), 257, 1472, 16}, "bf16", all}, isa, false);
}

TEST_P(SelectiveScan, FixedWidths) {
    auto check_all = [](int channels, int states, const char *io, const std::string &isa) {
        for (int count : {1, 2, 33, 70}) check({{GetParam(), count, channels, states}, io, all}, isa, true);
    };
    for (const auto &isa : isas()) {
        check_all(1, 1, "f32", isa);
        check_all(7, 3, "f16", isa);
        check_all(20, 16, "bf16", isa);
    }
    // Unrolled over 64 states a kernel takes long to compile: one instruction set for each form.
    check_all(184, 64, "f32", GetParam() ? isas().back() : isas().front());
    check_all(1472, 8, "f32", GetParam() ? isas().front() : isas().back());
}

TEST_P(SelectiveScan, EveryCombinationOfOptions) {
    for (const auto &isa : isas())
        for (int flags = 0; flags <= all; flags++)
            check({{GetParam(), 35, 37, 16}, "f32", flags}, isa, false);
}

// Any point of the space gives the same result: `knobs` with dense operands.
Result with_knobs(const Problem &p, const Knobs &knobs, const std::string &isa) {
    const Op &op = op_named(p.op());
    Spec spec{{{"io", p.io}}, {{"N", p.shape.states}}};
    JitKernel kernel(op.build(spec, knobs, kernel_target(isa)), kernel_target(isa));
    std::map<std::string, Halide::Runtime::Buffer<float>> buffers;
    std::vector<void *> arguments;
    for (const auto &o : op.contract.operands) {
        std::vector<int> sizes; // innermost first
        for (size_t i = o.shape.size(); i-- > 0;) sizes.push_back(static_cast<int>(p.dims().at(o.shape[i])));
        auto &buffer = buffers[o.name] = Halide::Runtime::Buffer<float>(sizes);
        auto values = p.in.find(o.name);
        if (values != p.in.end()) std::copy(values->second.begin(), values->second.end(), buffer.begin());
        if (o.name != "y") arguments.push_back(buffer.raw_buffer());
    }
    int flags = p.flags;
    arguments.push_back(&flags);
    arguments.push_back(buffers["y"].raw_buffer());
    EXPECT_EQ(kernel(arguments), 0);
    return {Values(buffers["y"].begin(), buffers["y"].end()),
            Values(buffers["state"].begin(), buffers["state"].end())};
}

// The default, every value of every knob beside it, and a few points with everything changed.
std::vector<Knobs> points(const Space &space) {
    std::vector<Knobs> list = {space.fallback()};
    for (const auto &knob : space.knobs())
        for (const auto &value : knob.values) {
            Knobs k = space.fallback();
            k.set(knob.name, value);
            if (value != knob.fallback && space.legal(k)) list.push_back(k);
        }
    std::vector<Knobs> every = space.all();
    for (size_t i : {every.size() / 5, every.size() / 2, every.size() - 1}) list.push_back(every[i]);
    return list;
}

TEST_P(SelectiveScan, KnobsChangeNoResult) {
    for (const auto &isa : isas()) {
        Problem p({GetParam(), 69, 141, 11}, "f32", all); // no tile, vector or group fits evenly
        const Op &op = op_named(p.op());
        for (const Knobs &k : points(op.space({{{"io", p.io}}, {}}, kernel_target(isa))))
            compare(p, with_knobs(p, k, isa), isa + " " + k.text());
    }
}

// Rows [from, to) of the problem, starting from `state`.
Problem piece(const Problem &p, int from, int to, const Values &state) {
    Problem part = p;
    part.shape.count = to - from;
    for (const char *name : {"u", "dt", "z", "B", "C"}) {
        const Values &whole = p.in.at(name);
        long row = static_cast<long>(whole.size()) / p.shape.count;
        part.in[name] = Values(whole.begin() + from * row, whole.begin() + to * row);
    }
    part.in["state"] = state;
    return part;
}

TEST(SelectiveScanState, PiecesGiveTheSameBits) {
    for (const auto &isa : isas()) {
        Problem p({false, 70, 20, 16}, "f32", all);
        Result whole = computed(p, isa, false);
        for (int cut : {1, 2, 31, 32, 33, 64, 69}) {
            Result first = computed(piece(p, 0, cut, p.in.at("state")), isa, false);
            Result rest = computed(piece(p, cut, 70, first.state), isa, false);
            first.y.insert(first.y.end(), rest.y.begin(), rest.y.end());
            EXPECT_EQ(first.y, whole.y) << isa << " " << cut;
            EXPECT_EQ(rest.state, whole.state) << isa << " " << cut;
        }
    }
}

// Decode goes on where prefill ends.
TEST(SelectiveScanState, StepsContinueAScan) {
    const int T = 9, D = 37;
    for (const auto &isa : isas()) {
        Problem p({false, T, D, 16}, "f32", all);
        Result scanned = computed(p, isa, false);
        Values state = p.in.at("state");
        for (int t = 0; t < T; t++) {
            Problem one = piece(p, t, t + 1, state);
            one.shape.update = true;
            Result step = computed(one, isa, false);
            state = step.state;
            EXPECT_LE(error_of(step.y, Values(scanned.y.begin() + t * D, scanned.y.begin() + (t + 1) * D)),
                      2e-6);
        }
        EXPECT_LE(error_of(state, scanned.state), 2e-6);
    }
}

// The contract's words on NaN, for one NaN at step `bad_t`, channel `bad_d`, state `bad_n`.
constexpr int nan_T = 40, nan_D = 21, nan_N = 5, bad_t = 33, bad_d = 9, bad_n = 3;

void expect_nan(const std::string &operand, size_t at, bool (*y_is_nan)(int t, int d),
                bool (*state_is_nan)(int n, int d)) {
    for (const auto &isa : isas())
        for (const char *io : {"f32", "bf16", "f16"}) {
            SCOPED_TRACE(operand + " " + io + " " + isa);
            Problem p({false, nan_T, nan_D, nan_N}, io, all);
            p.in[operand][at] = nan;
            Result got = computed(p, isa, false);
            for (int t = 0; t < nan_T; t++)
                for (int d = 0; d < nan_D; d++)
                    ASSERT_EQ(std::isnan(got.y[static_cast<size_t>(t * nan_D + d)]), y_is_nan(t, d))
                        << t << " " << d;
            for (int n = 0; n < nan_N; n++)
                for (int d = 0; d < nan_D; d++)
                    ASSERT_EQ(std::isnan(got.state[static_cast<size_t>(n * nan_D + d)]), state_is_nan(n, d))
                        << n << " " << d;
        }
}

TEST(SelectiveScanNaN, StaysWithItsChannelOrItsStep) {
    auto from_there_on = [](int t, int d) { return d == bad_d && t >= bad_t; };
    auto its_channel = [](int, int d) { return d == bad_d; };
    auto nowhere = [](int, int) { return false; };
    for (const char *name : {"u", "dt"}) expect_nan(name, bad_t * nan_D + bad_d, from_there_on, its_channel);
    expect_nan(
        "B", bad_t * nan_N + bad_n, [](int t, int) { return t >= bad_t; },
        [](int n, int) { return n == bad_n; });
    expect_nan("state", bad_n * nan_D + bad_d, its_channel,
               [](int n, int d) { return n == bad_n && d == bad_d; });
    expect_nan(
        "C", bad_t * nan_N + bad_n, [](int t, int) { return t == bad_t; }, nowhere);
    expect_nan(
        "z", bad_t * nan_D + bad_d, [](int t, int d) { return t == bad_t && d == bad_d; }, nowhere);
}

} // namespace
} // namespace ks::test
