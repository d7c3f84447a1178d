// SPDX-License-Identifier: Apache-2.0
// The matrix product: prefill against OpenBLAS, decode (one row, cold weights) against reading the weights.
#include "bench/rivals/openblas.h"
#include "bench/rivals/read_loop.h"
#include "bench/rows.h"
#include "runtime/model/ops.h"
#include <fmt/format.h>

namespace ks::bench {

namespace {

constexpr int K = 1472, N = 5888;
constexpr double max_error = 1e-5;

struct Product {
    int M;
    AlignedBytes x, w, y;
    std::vector<model::PackedMatrix> packed; // copies: more than one keeps the weights out of the caches

    Product(const Context &c, int rows, DType dtype, int copies) : M(rows), x(floats(M, K)), w(floats(N, K)) {
        randomize(x, 1, 1.f);
        randomize(w, 2, 0.05f);
        if (dtype == DType::bf16) // what the kernel will see
            for (size_t i = 0; i < size_t{N} * K; i++) w.floats()[i] = of_bf16(bf16_of(w.floats()[i]));
        io::Tensor tensor{"w", DType::f32, {N, K}, w.data(), w.size()};
        for (int i = 0; i < copies; i++)
            packed.push_back(model::pack_matrix(c.library, "linear", {}, tensor, dtype));
        y = AlignedBytes(floats(M, static_cast<int>(packed[0].padded())));
    }

    static size_t floats(int rows, int columns) {
        return static_cast<size_t>(rows) * columns * sizeof(float);
    }

    void ours(const Context &c, int i) {
        const model::PackedMatrix &m = packed[static_cast<size_t>(i) % packed.size()];
        model::linear(c.library, m, {}, M, {x.floats(), K}, {y.floats(), m.padded()});
    }

    void expect_right(const char *who, const float *got, int64_t stride) const {
        std::vector<double> wanted, values;
        for (int m = 0; m<M; m += M> 16 ? 19 : 1)
            for (int n = 0; n < N; n += 7) {
                double sum = 0;
                for (int k = 0; k < K; k++) sum += double(x.floats()[m * K + k]) * w.floats()[n * K + k];
                wanted.push_back(sum);
                values.push_back(got[m * stride + n]);
            }
        expect_close(who, values, wanted, max_error);
    }
};

} // namespace

Row linear_prefill_row(const Context &c) {
    constexpr int M = 512;
    Product p(c, M, DType::f32, 1);
    AlignedBytes blas_y(Product::floats(M, N));
    std::optional<OpenBlas> blas = find_openblas();
    p.ours(c, 0);
    p.expect_right("linear", p.y.floats(), p.packed[0].padded());
    Race race;
    race.add("ours", [&](int i) { p.ours(c, i); });
    if (blas) {
        auto run = [&] { blas->linear(M, K, N, p.x.floats(), p.w.floats(), blas_y.floats()); };
        run();
        p.expect_right("OpenBLAS", blas_y.floats(), N);
        race.add("OpenBLAS", [=](int) { run(); });
    }
    double peak_flop = 0;
    race.add("FMA", [&](int) { peak_flop = fma_loop(20000000); });
    race.measure(c.rounds, 0.1);

    constexpr double flop = 2. * M * K * N;
    double gflops = flop / race["ours"].median() * 1e-9, peak = peak_flop / race["FMA"].median() * 1e-9;
    Row row{"linear-prefill-f32", "linear, prefill, one core", "f32 M=512 K=1472 N=5888"};
    row.ours = gflops;
    row.rival = "OpenBLAS sgemm";
    row.unit = "GFLOP/s";
    row.goal = 1;
    row.note = fmt::format("FMA peak in this run {:.1f} GFLOP/s, ours {:.2f} of it; {}", peak, gflops / peak,
                           c.machine);
    if (blas) {
        row.rival_value = flop / race["OpenBLAS"].median() * 1e-9;
        row.ratio = race.speed("ours", "OpenBLAS");
        row.note = blas->version + "; " + row.note;
    } else
        row.note = "libopenblas.so.0 is not installed; " + row.note;
    return row;
}

Row linear_decode_row(const Context &c, bool bf16) {
    // Copies of the weights that together are much larger than any last-level cache share of one core.
    Product p(c, 1, bf16 ? DType::bf16 : DType::f32, bf16 ? 24 : 12);
    p.ours(c, 0);
    p.expect_right("linear", p.y.floats(), p.packed[0].padded());
    [[maybe_unused]] static volatile float sink; // the sum of the read loop, so that it is not dropped
    double bytes = static_cast<double>(p.packed[0].data.size());
    Race race;
    race.add("ours", [&](int i) { p.ours(c, i); });
    const std::vector<std::string> readers{"1 stream", "2 streams", "4 streams"};
    for (const std::string &reader : readers)
        race.add(reader, [&, streams = reader[0] - '0'](int i) {
            const AlignedBytes &w = p.packed[static_cast<size_t>(i) % p.packed.size()].data;
            sink = read_loop(w.floats(), w.size() / sizeof(float), streams);
        });
    race.measure(c.rounds, 0.05);
    const Variant &reader = race.fastest(readers);
    std::string dtype = bf16 ? "bf16" : "f32";
    Row row{"linear-decode-" + dtype, "linear, decode, cold weights, one core", dtype + " M=1 K=1472 N=5888"};
    row.ours = bytes / race["ours"].median() * 1e-9;
    row.rival = "read loop over the same bytes";
    row.rival_value = bytes / reader.median() * 1e-9;
    row.unit = "GB/s";
    row.ratio = race.speed("ours", reader.name);
    row.goal = 0.9;
    row.note = fmt::format("fastest reader: {}; {} copies of the weights in turn, {:.0f} MB; {}", reader.name,
                           p.packed.size(), bytes * 1e-6 * static_cast<double>(p.packed.size()), c.machine);
    return row;
}

} // namespace ks::bench
