// SPDX-License-Identifier: Apache-2.0
// The scan against values worked by hand and against properties that need no second implementation.
#include "tests/oracles/selective_scan.h"

#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace ks::oracle {
namespace {

std::vector<double> random(size_t count, unsigned seed, double low = -1, double high = 1) {
    std::mt19937 engine(seed);
    std::uniform_real_distribution<double> value(low, high);
    std::vector<double> v(count);
    for (double &x : v) x = value(engine);
    return v;
}

// Channels D = 3, states N = 4, every optional operand present.
SelectiveScan random_scan(const std::vector<int> &seq_start) {
    const size_t T = static_cast<size_t>(seq_start.back()), S = seq_start.size() - 1, D = 3, N = 4;
    SelectiveScan a;
    a.channels = 3;
    a.states = 4;
    a.seq_start = seq_start;
    a.u = random(T * D, 1);
    a.dt = random(T * D, 2, -3, 2);
    a.A = random(D * N, 3, -4, -0.1);
    a.B = random(T * N, 4);
    a.C = random(T * N, 5);
    a.D = random(D, 6);
    a.z = random(T * D, 7, -3, 3);
    a.dt_bias = random(D, 8);
    a.h = random(S * D * N, 9);
    return a;
}

std::vector<double> rows(const std::vector<double> &v, size_t width, int first, int last) {
    return {v.begin() + static_cast<std::ptrdiff_t>(width) * first,
            v.begin() + static_cast<std::ptrdiff_t>(width) * last};
}

// Tokens first .. last - 1 as one sequence that starts from h.
SelectiveScan part(const SelectiveScan &a, int first, int last, const std::vector<double> &h) {
    SelectiveScan p = a;
    p.seq_start = {0, last - first};
    p.u = rows(a.u, 3, first, last);
    p.dt = rows(a.dt, 3, first, last);
    p.z = rows(a.z, 3, first, last);
    p.B = rows(a.B, 4, first, last);
    p.C = rows(a.C, 4, first, last);
    p.h = h;
    return p;
}

// delta = log 2 in both steps (softplus of 0), A = -1: decay 1/2.
TEST(SelectiveScan, TwoStepsByHand) {
    SelectiveScan a;
    a.channels = a.states = 1;
    a.seq_start = {0, 2};
    a.u = {1, 3};
    a.dt = {-0.25, -0.25};
    a.dt_bias = {0.25};
    a.A = {-1};
    a.B = {2, 1};
    a.C = {1, 10};
    a.D = {100};
    a.h = {4};
    const double l = std::log(2.0), h1 = 0.5 * 4 + l * 2 * 1, h2 = 0.5 * h1 + l * 1 * 3;
    const std::vector<double> y = selective_scan(a);
    ASSERT_EQ(y.size(), 2u);
    EXPECT_NEAR(y[0], h1 + 100, 1e-12);
    EXPECT_NEAR(y[1], 10 * h2 + 300, 1e-12);
    ASSERT_EQ(a.h.size(), 1u);
    EXPECT_NEAR(a.h[0], h2, 1e-14);
}

TEST(SelectiveScan, SoftplusFlagAndGate) {
    SelectiveScan a;
    a.channels = a.states = 1;
    a.seq_start = {0, 1};
    a.u = a.B = a.C = {1};
    a.A = {-1};
    a.dt = {2};
    a.softplus = false;
    EXPECT_EQ(selective_scan(a), std::vector<double>{2}); // h = 0 + 2 * 1 * 1
    a.h.clear();
    a.z = {std::log(3.0)};
    EXPECT_NEAR(selective_scan(a)[0], 2 * 0.75 * std::log(3.0), 1e-14);
    a.h = {1};
    a.z.clear();
    EXPECT_NEAR(selective_scan(a)[0], std::exp(-2.0) + 2, 1e-14);
}

TEST(SelectiveScan, TwoStatesAreSummedAndChannelsAreApart) {
    SelectiveScan a;
    a.channels = 2;
    a.states = 2;
    a.seq_start = {0, 1};
    a.softplus = false;
    a.u = {1, 10};
    a.dt = {1, 2};
    a.A = {-1, -2, -3, -4};
    a.B = {5, 7};
    a.C = {1, 100};
    EXPECT_EQ(selective_scan(a), (std::vector<double>{5 + 700, 20 * 5 + 20 * 700}));
    EXPECT_EQ(a.h, (std::vector<double>{5, 7, 100, 140}));
}

TEST(SelectiveScan, TwoPiecesEqualTheWhole) {
    SelectiveScan whole = random_scan({0, 23});
    SelectiveScan first = part(whole, 0, 9, whole.h);
    std::vector<double> pieces = selective_scan(first);
    SelectiveScan second = part(whole, 9, 23, first.h);
    const std::vector<double> rest = selective_scan(second);
    pieces.insert(pieces.end(), rest.begin(), rest.end());
    EXPECT_EQ(selective_scan(whole), pieces);
    EXPECT_EQ(whole.h, second.h);
}

TEST(SelectiveScan, RaggedEqualsSeparate) {
    const std::vector<int> starts = {0, 1, 1, 8, 20}; // one sequence is empty
    SelectiveScan all = random_scan(starts);
    std::vector<double> y, h;
    for (size_t s = 0; s + 1 < starts.size(); s++) {
        SelectiveScan one = part(all, starts[s], starts[s + 1],
                                 rows(all.h, 12, static_cast<int>(s), static_cast<int>(s) + 1));
        const std::vector<double> part_y = selective_scan(one);
        y.insert(y.end(), part_y.begin(), part_y.end());
        h.insert(h.end(), one.h.begin(), one.h.end());
    }
    const std::vector<double> initial = all.h;
    EXPECT_EQ(selective_scan(all), y);
    EXPECT_EQ(all.h, h);
    EXPECT_EQ(rows(all.h, 12, 1, 2), rows(initial, 12, 1, 2)); // the empty one keeps its state
}

// Linear in (h, u): twice both inputs gives twice output and state.
TEST(SelectiveScan, IsLinearInStateAndInput) {
    SelectiveScan a = random_scan({0, 12}), b = a;
    for (double &v : b.u) v *= 2;
    for (double &v : b.h) v *= 2;
    const std::vector<double> y = selective_scan(a), twice = selective_scan(b);
    for (size_t i = 0; i < y.size(); i++) EXPECT_NEAR(twice[i], 2 * y[i], 1e-12);
    for (size_t i = 0; i < a.h.size(); i++) EXPECT_NEAR(b.h[i], 2 * a.h[i], 1e-12);
}

TEST(SelectiveScan, StepsEqualTheScan) {
    SelectiveScan whole = random_scan({0, 5});
    SelectiveScan step = part(whole, 0, 1, whole.h);
    const std::vector<double> y = selective_scan(whole);
    for (int t = 0; t < 5; t++) {
        SelectiveScan now = part(random_scan({0, 5}), t, t + 1, step.h);
        EXPECT_EQ(selective_state_update(now), rows(y, 3, t, t + 1));
        step.h = now.h;
    }
    EXPECT_EQ(step.h, whole.h);
}

TEST(SelectiveScan, UpdateTakesOneRowPerSequence) {
    SelectiveScan batch = random_scan({0, 1, 2, 3, 4}), update = batch;
    update.seq_start.clear();
    EXPECT_EQ(selective_state_update(update), selective_scan(batch));
    EXPECT_EQ(update.h, batch.h);
}

TEST(SelectiveScan, WrongSizesAreRefused) {
    SelectiveScan a = random_scan({0, 5}), b = a, c = a, d = a;
    a.z.pop_back();
    b.h.push_back(0);
    c.seq_start = {0, 6};
    d.seq_start = {0, 3, 2, 5};
    for (SelectiveScan *wrong : {&a, &b, &c, &d}) EXPECT_THROW(selective_scan(*wrong), std::invalid_argument);
}

} // namespace
} // namespace ks::oracle
