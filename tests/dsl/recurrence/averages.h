// SPDX-License-Identifier: Apache-2.0
// A bank of moving averages as a recurrence, and the same in double: h[n] = a[n] h[n] + (1 - a[n]) x,
// y = sum_n c[n] h[n] with a[n] = (n + 1) / (n + 2), c[n] = 1 / (n + 1).
#pragma once
#include "HalideBuffer.h"
#include "dsl/kernel.h"
#include "dsl/recurrence/recurrence.h"
#include "runtime/base/error.h"
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <vector>

namespace ks::test {

struct Averages {
    Halide::ImageParam x{Halide::Float(32), 2, "x"}, state;
    Halide::Param<int> count{"count"};
    Recurrence r;
    Halide::Func y{"y"};

    // `states` 0: any number, the argument `count`. One state a sequence, [t][n][d], for the step; else
    // [n][d].
    Averages(int states, bool per_sequence) : state(Halide::Float(32), per_sequence ? 3 : 2, "state") {
        using namespace Halide;
        r.channel = Var("d");
        r.time = Var("t");
        r.states = states ? Expr(states) : Expr(count);
        Var d = r.channel, t = r.time;
        ImageParam in = x, s = state;
        auto decay = [](const Expr &n) { return cast<float>(n + 1) / cast<float>(n + 2); };
        r.state = [=](const Expr &n) { return per_sequence ? Expr(s(d, n, t)) : Expr(s(d, n)); };
        r.decay = decay;
        r.input = [=](const Expr &n) { return (1.f - decay(n)) * in(d, t); };
        r.read = [](const Expr &n) { return 1.f / cast<float>(n + 1); };
    }
    void consume(const Halide::Func &read) { y(r.channel, r.time) = read(r.channel, r.time) * 2.f; }
    Kernel kernel(std::shared_ptr<LoweringPass> pass) { return {{y}, {x, state, count}, {std::move(pass)}}; }
};

// Operands of one call and what must come out; all of them grow with d, n and t in ways that show any mix-up.
struct AveragesCall {
    Halide::Runtime::Buffer<float> x, h, y;
    int count;
    std::vector<double> exact_h, exact_y;

    AveragesCall(int D, int N, int T, bool per_sequence) : x(D, T), y(D, T), count(N) {
        int S = per_sequence ? T : 1;
        h = per_sequence ? Halide::Runtime::Buffer<float>(D, N, S) : Halide::Runtime::Buffer<float>(D, N);
        for (int t = 0; t < T; t++)
            for (int d = 0; d < D; d++) x(d, t) = static_cast<float>(std::sin(1 + 3 * d + 7 * t));
        for (size_t i = 0; i < h.number_of_elements(); i++) h.begin()[i] = static_cast<float>(std::cos(i));
        exact_h.assign(h.begin(), h.end());
        for (int t = 0; t < T; t++)
            for (int d = 0; d < D; d++) {
                double sum = 0;
                for (int n = 0; n < N; n++) {
                    double a = (n + 1.0) / (n + 2.0);
                    double &v = exact_h[static_cast<size_t>(((per_sequence ? t : 0) * N + n) * D + d)];
                    v = a * v + (1 - a) * static_cast<double>(x(d, t));
                    sum += v / (n + 1);
                }
                exact_y.push_back(2 * sum);
            }
    }
    std::vector<void *> arguments() { return {x.raw_buffer(), h.raw_buffer(), &count, y.raw_buffer()}; }
    void expect_exact() const {
        for (size_t i = 0; i < exact_y.size(); i++) ASSERT_NEAR(y.begin()[i], exact_y[i], 2e-5) << "y " << i;
        for (size_t i = 0; i < exact_h.size(); i++)
            ASSERT_NEAR(h.begin()[i], exact_h[i], 5e-6) << "state " << i;
    }
};

inline void expect_refused(const std::string &assumption, const std::function<void()> &action) {
    try {
        action();
        ADD_FAILURE() << "expected an error about " << assumption;
    } catch (const ks::Error &e) {
        EXPECT_NE(std::string(e.what()).find(assumption), std::string::npos) << e.what();
    }
}

} // namespace ks::test
