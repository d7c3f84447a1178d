// SPDX-License-Identifier: Apache-2.0
// Expert MLPs, routed already: ours (gather, up, down per expert) against a loop with library products.
#include "bench/calls/experts.h"
#include "bench/harness.h"
#include "bench/rivals/expert_loop.h"
#include "bench/rivals/read_loop.h"
#include "bench/rows/rows.h"
#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int64_t E = 8, H = 1472, F = 3872; // BlackMamba-2.8B
constexpr double max_error = 1e-5;

// The rival with its work space.
struct Loop {
    AlignedBytes gathered, gate_up, hidden, product, y;

    explicit Loop(int64_t T)
        : gathered(zeros(T * H)),
          gate_up(zeros(T * 2 * F)),
          hidden(zeros(T * F)),
          product(zeros(T * H)),
          y(zeros(T * H)) {}

    void run(const OpenBlas &blas, const ExpertWeights &w, const ExpertsCall &call) {
        expert_loop(blas,
                    {H, F, call.x.floats(), w.up.floats(), w.down.floats(), call.scale.floats(), &call.rows,
                     gathered.floats(), gate_up.floats(), hidden.floats(), product.floats(), y.floats()});
    }
};

// In double, two tokens of every expert and every 23rd output.
void expect_right(const char *who, const ExpertWeights &w, const ExpertsCall &call, const float *values,
                  int64_t stride) {
    std::vector<double> wanted, got, h(F);
    for (int64_t t = 0; t < std::min(call.T, 2 * E); t++) {
        const float *x = call.x.floats() + t * H, *up = w.up_of(t % E), *down = w.down_of(t % E);
        for (int64_t f = 0; f < F; f++) {
            double gate = 0, value = 0;
            for (int64_t k = 0; k < H; k++)
                gate += double(x[k]) * up[f * H + k], value += double(x[k]) * up[(F + f) * H + k];
            h[static_cast<size_t>(f)] = gate / (1 + std::exp(-gate)) * value;
        }
        for (int64_t n = 0; n < H; n += 23) {
            double sum = 0;
            for (int64_t f = 0; f < F; f++) sum += h[static_cast<size_t>(f)] * down[n * F + f];
            wanted.push_back(sum * call.scale.floats()[t]);
            got.push_back(values[t * stride + n]);
        }
    }
    expect_close(who, got, wanted, max_error);
}

float read_weights(const ExpertsCall &call, int streams) {
    float sum = 0;
    for (const auto *matrices : {&call.up_weights, &call.down_weights})
        for (const model::PackedMatrix &m : *matrices)
            sum += read_loop(m.data.floats(), m.data.size() / sizeof(float), streams);
    return sum;
}

} // namespace

Row experts_row(const Context &c, int64_t tokens) {
    ExpertWeights weights(E, H, F);
    ExpertsCall call(c.library, weights, tokens, DType::f32);
    Loop loop(tokens);
    call.run(c.library);
    expect_right("experts", weights, call, call.y.floats(), call.down_weights[0].padded());
    std::optional<OpenBlas> blas = find_openblas();
    [[maybe_unused]] static volatile float sink;
    Race race;
    race.add("ours", [&](int) { call.run(c.library); });
    if (blas) {
        loop.run(*blas, weights, call);
        expect_right("loop over experts", weights, call, loop.y.floats(), H);
        race.add("loop", [&](int) { loop.run(*blas, weights, call); });
    }
    for (const Reader &reader : readers)
        race.add(reader.name, [&](int) { sink = read_weights(call, reader.streams); });
    double peak_flop = 0;
    race.add("FMA", [&](int) { peak_flop = fma_loop(2000000, c.wide()); });
    race.measure(c.rounds, 0);

    // No kernel can be faster than reading its weights, nor than the multiplications that it has to do.
    double work = 2. * static_cast<double>(tokens) * 3 * H * F * race["FMA"].median() / peak_flop;
    double reading = race.fastest(reader_names()).median();
    double ceiling = std::max(work, reading), ours = race["ours"].median();
    Row row{"", "experts, top-1, routed evenly, one core",
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
        row.note = openblas_missing + row.note;
    return row;
}

} // namespace ks::bench
