// SPDX-License-Identifier: Apache-2.0
// The matrix product: prefill against OpenBLAS, decode (one row, cold weights) against reading the weights.
#include "bench/calls/linear.h"
#include "bench/harness.h"
#include "bench/rivals/openblas.h"
#include "bench/rivals/read_loop.h"
#include "bench/rows/rows.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int64_t K = 1472, N = 5888; // in_proj of BlackMamba-2.8B
constexpr double max_error = 1e-5;

void expect_right(const char *who, const LinearCall &p, const float *got, int64_t stride) {
    std::vector<double> wanted, values;
    for (int64_t m = 0; m<p.M; m += p.M> 16 ? 19 : 1)
        for (int64_t n = 0; n < p.N; n += 7) {
            double sum = 0;
            for (int64_t k = 0; k < p.K; k++)
                sum += double(p.x.floats()[m * p.K + k]) * p.w.floats()[n * p.K + k];
            wanted.push_back(sum);
            values.push_back(got[m * stride + n]);
        }
    expect_close(who, values, wanted, max_error);
}

std::string shape_of(int64_t M, DType weight) {
    return fmt::format("{} M={} K={} N={}", name_of(weight), M, K, N);
}

// What it says about storage that the rival does not have.
std::string storage_note(DType weight, bool pairs) {
    if (pairs)
        return "ours takes x rounded to bf16 (before the clock starts) and multiplies pairs of bf16; the "
               "rival "
               "multiplies the same values stored as f32; ";
    if (weight == DType::f32) return "";
    return "the rival multiplies the same values stored as f32: OpenBLAS widens no 16-bit weights; ";
}

} // namespace

Row linear_prefill_row(const Context &c, DType weight) {
    constexpr int M = 512;
    LinearCall p(c.library, M, K, N, weight);
    AlignedBytes blas_y = zeros(int64_t{M} * N);
    std::optional<OpenBlas> blas = find_openblas();
    p.run(c.library, 0);
    expect_right("linear", p, p.y.floats(), p.packed.padded());
    Race race;
    race.add("ours", [&](int i) { p.run(c.library, i); });
    if (blas) {
        auto run = [&] { blas->linear(M, K, N, p.x.floats(), p.w.floats(), blas_y.floats()); };
        run();
        expect_right("OpenBLAS", p, blas_y.floats(), N);
        race.add("OpenBLAS", [=](int) { run(); });
    }
    double peak_flop = 0;
    const bool pairs = p.packed.pairs;
    race.add("peak", [&](int) { peak_flop = pairs ? pair_loop(20000000) : fma_loop(20000000, c.wide()); });
    race.measure(c.rounds, 0.1);

    constexpr double flop = 2. * M * K * N;
    double gflops = flop / race["ours"].median() * 1e-9, peak = peak_flop / race["peak"].median() * 1e-9;
    Row row{"", "linear, prefill, one core", shape_of(M, weight)};
    row.ours = gflops;
    row.rival = "OpenBLAS sgemm";
    row.unit = "GFLOP/s";
    row.goal = 1;
    row.note = fmt::format("{}{} peak in this run {:.1f} GFLOP/s, ours {:.2f} of it; {}",
                           storage_note(weight, pairs), pairs ? "bf16 dot product" : "f32 FMA", peak,
                           gflops / peak, c.machine);
    if (blas) {
        row.rival_value = flop / race["OpenBLAS"].median() * 1e-9;
        row.ratio = race.speed("ours", "OpenBLAS");
        row.note = blas->version + "; " + row.note;
    } else
        row.note = openblas_missing + row.note;
    return row;
}

Row linear_decode_row(const Context &c, DType weight) {
    LinearCall p(c.library, 1, K, N, weight, cold_copies(K * N * static_cast<int64_t>(size_of(weight))));
    p.run(c.library, 0);
    expect_right("linear", p, p.y.floats(), p.packed.padded());
    [[maybe_unused]] static volatile float sink; // the sum of the read loop, so that it is not dropped
    auto bytes = static_cast<double>(p.packed.data.size());
    Race race;
    race.add("ours", [&](int i) { p.run(c.library, i); });
    for (const Reader &reader : readers)
        race.add(reader.name, [&](int i) {
            const AlignedBytes &w = p.weights(i);
            sink = read_loop(w.floats(), w.size() / sizeof(float), reader.streams);
        });
    race.measure(c.rounds, 0.05);
    const Variant &fastest = race.fastest(reader_names());
    size_t copies = p.copies.size() + 1;
    Row row{"", "linear, decode, cold weights, one core", shape_of(1, weight)};
    row.ours = bytes / race["ours"].median() * 1e-9;
    row.rival = "read loop over the same bytes";
    row.rival_value = bytes / fastest.median() * 1e-9;
    row.unit = "GB/s";
    row.ratio = race.speed("ours", fastest.name);
    row.goal = 0.9;
    row.note = fmt::format("fastest reader: {}; {} copies of the weights in turn, {:.0f} MB; {}",
                           fastest.name, copies, bytes * 1e-6 * static_cast<double>(copies), c.machine);
    return row;
}

} // namespace ks::bench
