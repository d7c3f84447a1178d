// SPDX-License-Identifier: Apache-2.0
// The whole selective scan (softplus, recurrence, read-out, skip, gate) against a plain loop.
#include "bench/calls/selective_scan.h"
#include "bench/harness.h"
#include "bench/rivals/scan_loop.h"
#include "bench/rows/rows.h"
#include <cmath>

namespace ks::bench {

namespace {

// In double, from zero state, every 13th channel. `y` is [rows, D].
void expect_right(const char *who, const ScanOperands &o, const float *y, double bound) {
    std::vector<double> wanted, got;
    for (int64_t d = 0; d < o.D; d += 13) {
        std::vector<double> h(static_cast<size_t>(o.N));
        for (int64_t t = 0; t < o.rows; t++) {
            int64_t i = t * o.D + d;
            double raw = double(o.dt.floats()[i]) + o.bias.floats()[d];
            double delta = std::log1p(std::exp(raw)), in = o.u.floats()[i], gate = o.z.floats()[i], sum = 0;
            for (int64_t n = 0; n < o.N; n++) {
                double &s = h[static_cast<size_t>(n)];
                s = s * std::exp(delta * o.A[static_cast<size_t>(d * o.N + n)]) +
                    delta * o.B.floats()[t * o.N + n] * in;
                sum += s * o.C.floats()[t * o.N + n];
            }
            wanted.push_back((sum + o.skip.floats()[d] * in) * gate / (1 + std::exp(-gate)));
            got.push_back(y[i]);
        }
    }
    expect_close(who, got, wanted, bound);
}

} // namespace

Row selective_scan_row(const Context &c) {
    ScanOperands o(512, 1536, 16, DType::f32);
    AlignedBytes loop_state = zeros(o.N * o.D), loop_y = zeros(o.rows * o.D);
    auto loop = [&] {
        scan_loop({static_cast<int>(o.rows), static_cast<int>(o.D), static_cast<int>(o.N), o.u.floats(),
                   o.dt.floats(), o.z.floats(), o.A.data(), o.B.floats(), o.C.floats(), o.skip.floats(),
                   o.bias.floats(), loop_state.floats(), loop_y.floats()});
    };
    o.scan(c.library);
    loop();
    expect_right("selective_scan", o, o.y.floats(), 2e-6);
    expect_right("plain loop", o, loop_y.floats(), 1e-5);
    Race race;
    race.add("ours", [&](int) { o.scan(c.library); });
    race.add("loop", [&](int) { loop(); });
    race.measure(c.rounds, 0.02);
    Row row{"", "selective scan, whole op, one core", "f32 D=1536 L=512 N=16"};
    row.ours = race["ours"].median() * 1e3;
    row.rival = "plain loop, -O3 -march=native";
    row.rival_value = race["loop"].median() * 1e3;
    row.unit = "ms";
    row.ratio = race.speed("ours", "loop");
    row.goal = c.wide() ? 15 : 11;
    row.note = c.machine;
    return row;
}

} // namespace ks::bench
