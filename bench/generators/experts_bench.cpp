// SPDX-License-Identifier: Apache-2.0
// Expert MLPs, routed already: ours (expert_up, expert_down per expert) against a loop with library products.
#include "bench/rivals/expert_loop.h"
#include "bench/rivals/read_loop.h"
#include "bench/rows.h"
#include "runtime/model/ops.h"
#include <cmath>
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int E = 8, H = 1472, F = 3872;
constexpr double max_error = 1e-5;

size_t floats(int64_t count) { return static_cast<size_t>(count) * sizeof(float); }

struct Experts {
    int T;
    AlignedBytes x, up, down, scale, y;                                    // as the rival wants them
    AlignedBytes gathered, gate_up, hidden, product, loop_y;               // its work space
    std::vector<model::PackedMatrix> packed_up, packed_down;               // ours
    std::vector<std::vector<int>> rows = std::vector<std::vector<int>>(E); // token t goes to expert t mod E
    AlignedBytes our_hidden, our_gathered;

    Experts(const Context &c, int tokens)
        : T(tokens),
          x(floats(T * H)),
          up(floats(int64_t{E} * 2 * F * H)),
          down(floats(int64_t{E} * F * H)),
          scale(floats(T)),
          y(floats(int64_t{T} * (H + 64))),
          gathered(floats(T * H)),
          gate_up(floats(T * 2 * F)),
          hidden(floats(T * F)),
          product(floats(T * H)),
          loop_y(floats(T * H)),
          our_hidden(floats(T * (F + 64))),
          our_gathered(floats(T * H)) {
        randomize(x, 1, 1.f);
        randomize(up, 2, 0.05f);
        randomize(down, 3, 0.03f);
        randomize(scale, 4, 1.f);
        for (int t = 0; t < T; t++) rows[static_cast<size_t>(t % E)].push_back(t);
        for (int64_t e = 0; e < E; e++) {
            size_t one = floats(int64_t{F} * H);
            io::Tensor u{"up", DType::f32, {2 * F, H}, up.data() + static_cast<size_t>(e) * 2 * one, 2 * one};
            io::Tensor d{"down", DType::f32, {H, F}, down.data() + static_cast<size_t>(e) * one, one};
            packed_up.push_back(model::pack_matrix(c.library, "expert_up", {{"act", "silu"}, {"halves", "2"}},
                                                   u, DType::f32, 2));
            packed_down.push_back(model::pack_matrix(c.library, "expert_down", {}, d, DType::f32));
        }
    }

    void ours(const ks_library &library) {
        for (size_t e = 0; e < E; e++) {
            if (rows[e].empty()) continue;
            std::vector<float> scales;
            for (int t : rows[e]) scales.push_back(scale.floats()[t]);
            up_of(library, e);
            down_of(library, e, scales.data());
        }
    }

    void up_of(const ks_library &library, size_t e) {
        const model::PackedMatrix &m = packed_up[e];
        auto g = model::arguments<ks_gather_rows_args>();
        g.T = T, g.R = static_cast<int64_t>(rows[e].size()), g.K = m.K;
        g.x = x.floats(), g.rows = rows[e].data(), g.y = our_gathered.floats();
        check(ks_gather_rows(&library, &g));
        auto a = model::arguments<ks_expert_up_args>();
        a.R = g.R, a.K = m.K, a.P = m.panels;
        a.act = KS_EXPERT_UP_ACT_SILU;
        a.halves = KS_EXPERT_UP_HALVES_2;
        a.panel = m.panel_choice, a.weight = m.weight_choice;
        a.x = our_gathered.floats();
        a.w = m.data.data();
        a.h = our_hidden.floats(), a.h_stride = m.padded();
        check(ks_expert_up(&library, &a));
    }

    void down_of(const ks_library &library, size_t e, const float *scales) {
        const model::PackedMatrix &m = packed_down[e];
        auto a = model::arguments<ks_expert_down_args>();
        a.T = T, a.R = static_cast<int64_t>(rows[e].size()), a.K = m.K, a.P = m.panels;
        a.panel = m.panel_choice, a.weight = m.weight_choice;
        a.h = our_hidden.floats(), a.h_stride = packed_up[e].padded();
        a.rows = rows[e].data();
        a.scale = scales;
        a.w = m.data.data();
        a.y = y.floats(), a.y_stride = m.padded();
        check(ks_expert_down(&library, &a));
    }

    void loop(const OpenBlas &blas) {
        expert_loop(blas,
                    {H, F, x.floats(), up.floats(), down.floats(), scale.floats(), &rows, gathered.floats(),
                     gate_up.floats(), hidden.floats(), product.floats(), loop_y.floats()});
    }

    // In double, two tokens of every expert and every 23rd output.
    void expect_right(const char *who, const float *values, int64_t stride) const {
        std::vector<double> wanted, got;
        for (int t = 0; t < std::min(T, 2 * E); t++) {
            const float *xt = x.floats() + t * H, *u = up.floats() + int64_t{t % E} * 2 * F * H;
            const float *d = down.floats() + int64_t{t % E} * F * H;
            std::vector<double> h(F);
            for (int64_t f = 0; f < F; f++) {
                double gate = 0, value = 0;
                for (int k = 0; k < H; k++)
                    gate += double(xt[k]) * u[f * H + k], value += double(xt[k]) * u[(F + f) * H + k];
                h[static_cast<size_t>(f)] = gate / (1 + std::exp(-gate)) * value;
            }
            for (int n = 0; n < H; n += 23) {
                double sum = 0;
                for (int f = 0; f < F; f++) sum += h[static_cast<size_t>(f)] * d[int64_t{n} * F + f];
                wanted.push_back(sum * scale.floats()[t]);
                got.push_back(values[t * stride + n]);
            }
        }
        expect_close(who, got, wanted, max_error);
    }

    float read(int streams) const {
        float sum = 0;
        for (size_t e = 0; e < E; e++)
            for (const AlignedBytes *w : {&packed_up[e].data, &packed_down[e].data})
                sum += read_loop(w->floats(), w->size() / sizeof(float), streams);
        return sum;
    }
};

} // namespace

Row experts_row(const Context &c, int64_t tokens) {
    Experts m(c, static_cast<int>(tokens));
    m.ours(c.library);
    m.expect_right("experts", m.y.floats(), m.packed_down[0].padded());
    std::optional<OpenBlas> blas = find_openblas();
    [[maybe_unused]] static volatile float sink;
    Race race;
    race.add("ours", [&](int) { m.ours(c.library); });
    if (blas) {
        m.loop(*blas);
        m.expect_right("loop over experts", m.loop_y.floats(), H);
        race.add("loop", [&](int) { m.loop(*blas); });
    }
    double peak_flop = 0;
    const std::vector<std::string> readers{"1 stream", "2 streams", "4 streams"};
    for (const std::string &reader : readers)
        race.add(reader, [&, streams = reader[0] - '0'](int) { sink = m.read(streams); });
    race.add("FMA", [&](int) { peak_flop = fma_loop(2000000); });
    race.measure(c.rounds, 0);

    // No kernel can be faster than reading its weights, nor than the multiplications that it has to do.
    double work = 2. * static_cast<double>(tokens) * 3 * H * F * race["FMA"].median() / peak_flop;
    double reading = race.fastest(readers).median();
    double ceiling = std::max(work, reading), ours = race["ours"].median();
    Row row{fmt::format("experts-f32-T{}", tokens), "experts, top-1, routed evenly, one core",
            fmt::format("f32 T={} E={} H={} F={}", tokens, E, H, F)};
    row.ours = ours * 1e3;
    row.rival = "loop over experts with OpenBLAS";
    row.unit = "ms";
    row.goal = tokens <= 8 ? 1.3 : 2;
    row.note = fmt::format("ceiling in this run {:.2f} ms ({}), ours {:.2f} of it; {}", ceiling * 1e3,
                           work > reading ? "FMA peak" : "reading the weights", ceiling / ours, c.machine);
    if (blas) {
        row.rival_value = race["loop"].median() * 1e3;
        row.ratio = race.speed("ours", "loop");
        row.note = blas->version + "; " + row.note;
    } else
        row.note = "libopenblas.so.0 is not installed; " + row.note;
    return row;
}

} // namespace ks::bench
