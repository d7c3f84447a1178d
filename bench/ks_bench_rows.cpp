// SPDX-License-Identifier: Apache-2.0
// ks_bench_rows: measures the rows of one core and prints one JSON object a line. bench/run calls it.
#include "bench/harness.h"
#include "bench/rows/rows.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>

namespace ks::bench {

bool Context::wide() const { return std::string(ks_isa(&library)) != "avx2"; }

namespace {

struct Entry {
    std::string id, isa;
    std::function<Row(const Context &)> measure;
};

// Of the instruction set `isa`, or of all that tables show; ids of others than this CPU's best end in its
// name.
std::vector<Entry> entries(const std::string &isa) {
    const std::vector<std::pair<const char *, std::function<Row(const Context &)>>> rows{
        {"scan-f32", selective_scan_row},
        {"linear-prefill-f32", [](const Context &c) { return linear_prefill_row(c, DType::f32); }},
        {"linear-prefill-bf16", [](const Context &c) { return linear_prefill_row(c, DType::bf16); }},
        {"linear-decode-f32", [](const Context &c) { return linear_decode_row(c, DType::f32); }},
        {"linear-decode-bf16", [](const Context &c) { return linear_decode_row(c, DType::bf16); }},
        {"experts-f32-T8", [](const Context &c) { return experts_row(c, 8); }},
        {"experts-f32-T64", [](const Context &c) { return experts_row(c, 64); }},
        {"tuned", tuned_row},
        {"tuned-ceiling", tuned_ceiling_row},
    };
    const std::vector<std::string> isas = isa.empty() ? shown_isas() : std::vector<std::string>{isa};
    std::vector<Entry> list;
    for (const auto &[id, measure] : rows)
        for (const std::string &i : isas) list.push_back({i == best_isa() ? id : id + ("-" + i), i, measure});
    return list;
}

struct Options {
    std::string only, isa;
    int rounds = 11;
    bool list = false;
};

void run(const Options &options) {
    int core = pin_to_one_core();
    for (const Entry &e : entries(options.isa)) {
        if (!options.only.empty() && options.only != e.id) continue;
        if (options.list) {
            fmt::print("{}\n", e.id);
            continue;
        }
        Library library = open_library(e.isa);
        Row row = e.measure(
            {*library, options.rounds,
             fmt::format("{}, core {}, {}, rivals by g++ {}", cpu_name(), core, e.isa, __VERSION__)});
        row.id = e.id;
        fmt::print("{}\n", row.json());
        std::fflush(stdout);
    }
}

} // namespace

} // namespace ks::bench

int main(int argc, char **argv) {
    CLI::App app("ks_bench_rows: one JSON object per row");
    ks::bench::Options options;
    app.add_option("--only", options.only, "one row");
    app.add_option("--isa", options.isa, "rows of one instruction set")->check(CLI::IsMember(ks::all_isas()));
    app.add_option("--rounds", options.rounds, "interleaved rounds")->check(CLI::Range(3, 1000));
    app.add_flag("--list", options.list, "print the ids");
    CLI11_PARSE(app, argc, argv);
    try {
        ks::bench::run(options);
        return 0;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks_bench_rows: %s\n", e.what());
        return 1;
    }
}
