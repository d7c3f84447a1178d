// SPDX-License-Identifier: Apache-2.0
// The whole selective scan (softplus, recurrence, read-out, skip, gate) against a plain loop.
#include "bench/rivals/scan_loop.h"
#include "bench/rows.h"
#include "runtime/model/ops.h"
#include <cmath>

namespace ks::bench {

namespace {

using model::arguments;

// Operands in the magnitudes of a fresh Mamba: dt after softplus 1e-3 to 1e-1, A from -1 to -N.
struct Scan {
    int L, D, N;
    AlignedBytes u, dt, z, B, C, skip, bias, state, y, A_packed;
    AlignedBytes loop_state, loop_y;
    std::vector<float> A;

    Scan(int length, int channels, int states)
        : L(length),
          D(channels),
          N(states),
          u(floats(L * D)),
          dt(floats(L * D)),
          z(floats(L * D)),
          B(floats(L * N)),
          C(floats(L * N)),
          skip(floats(D)),
          bias(floats(D)),
          state(floats(D * N)),
          y(floats(L * D)),
          loop_state(floats(D * N)),
          loop_y(floats(L * D)),
          A(static_cast<size_t>(D * N)) {
        unsigned seed = 1;
        for (AlignedBytes *a : {&u, &dt, &z, &B, &C, &skip}) randomize(*a, seed++, 1.f);
        for (int d = 0; d < D; d++) {
            double delta = 1e-3 * std::pow(100., d / double(D));
            bias.floats()[d] =
                static_cast<float>(delta + std::log(-std::expm1(-delta))); // inverse of softplus
            for (int n = 0; n < N; n++)
                A[static_cast<size_t>(d * N + n)] = static_cast<float>(-(n + 1) * (1 + 0.0001 * (d % 97)));
        }
        A_packed = model::pack_decay_of(A, D, N);
    }

    static size_t floats(int count) { return static_cast<size_t>(count) * sizeof(float); }

    void ours(const ks_library &library) {
        auto a = arguments<ks_selective_scan_args>();
        a.T = L, a.D = D, a.N = N, a.sequences = 1;
        a.io = KS_SELECTIVE_SCAN_IO_F32;
        a.u = u.data(), a.dt = dt.data(), a.z = z.data();
        a.A = A_packed.floats();
        a.B = B.data(), a.C = C.data();
        a.D_skip = skip.floats(), a.dt_bias = bias.floats();
        a.state = state.floats();
        a.y = y.data();
        a.flags = 8; // softplus
        check(ks_selective_scan(&library, &a));
    }

    void loop() {
        scan_loop({L, D, N, u.floats(), dt.floats(), z.floats(), A.data(), B.floats(), C.floats(),
                   skip.floats(), bias.floats(), loop_state.floats(), loop_y.floats()});
    }

    // In double, from zero state, every 13th channel.
    void expect_right() {
        std::vector<double> wanted, got, got_loop;
        for (int d = 0; d < D; d += 13) {
            std::vector<double> h(static_cast<size_t>(N));
            for (int t = 0; t < L; t++) {
                int i = t * D + d;
                double delta = std::log1p(std::exp(double(dt.floats()[i]) + bias.floats()[d])),
                       in = u.floats()[i];
                double sum = 0, gate = z.floats()[i];
                for (int n = 0; n < N; n++) {
                    double &s = h[static_cast<size_t>(n)];
                    s = s * std::exp(delta * A[static_cast<size_t>(d * N + n)]) +
                        delta * B.floats()[t * N + n] * in;
                    sum += s * C.floats()[t * N + n];
                }
                wanted.push_back((sum + skip.floats()[d] * in) * gate / (1 + std::exp(-gate)));
                got.push_back(y.floats()[i]);
                got_loop.push_back(loop_y.floats()[i]);
            }
        }
        expect_close("selective_scan", got, wanted, 2e-6);
        expect_close("plain loop", got_loop, wanted, 1e-5);
    }
};

} // namespace

Row selective_scan_row(const Context &c) {
    Scan scan(512, 1536, 16);
    scan.ours(c.library);
    scan.loop();
    scan.expect_right();
    Race race;
    race.add("ours", [&](int) { scan.ours(c.library); });
    race.add("loop", [&](int) { scan.loop(); });
    race.measure(c.rounds, 0.02);
    Row row{"scan-f32", "selective scan, whole op, one core", "f32 D=1536 L=512 N=16"};
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
