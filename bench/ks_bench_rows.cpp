// SPDX-License-Identifier: Apache-2.0
// ks_bench_rows: measures the rows of one core and prints one JSON object a line. bench/run calls it.
#include "bench/rows.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ks::bench {

bool Context::wide() const { return std::string(ks_isa(&library)) == "avx512"; }

void check(ks_status status) {
    if (status != KS_OK) throw Error(ks_last_error());
}

namespace {

struct Entry {
    const char *id;
    std::function<Row(const Context &)> measure;
};

const std::vector<Entry> &entries() {
    static const std::vector<Entry> list{
        {"scan-f32", selective_scan_row},
        {"linear-prefill-f32", linear_prefill_row},
        {"linear-decode-f32", [](const Context &c) { return linear_decode_row(c, false); }},
        {"linear-decode-bf16", [](const Context &c) { return linear_decode_row(c, true); }},
        {"experts-f32-T8", [](const Context &c) { return experts_row(c, 8); }},
        {"experts-f32-T64", [](const Context &c) { return experts_row(c, 64); }},
    };
    return list;
}

template <typename T>
nlohmann::json or_null(const std::optional<T> &value) {
    return value ? nlohmann::json(*value) : nlohmann::json();
}

nlohmann::ordered_json json_of(const Row &r) {
    return {{"id", r.id},       {"what", r.what},
            {"shape", r.shape}, {"ours", or_null(r.ours)},
            {"rival", r.rival}, {"rival_value", or_null(r.rival_value)},
            {"unit", r.unit},   {"ratio", or_null(r.ratio)},
            {"goal", r.goal},   {"met", or_null(r.met())},
            {"note", r.note}};
}

void run(const std::string &only, const std::string &isa, int rounds) {
    int core = pin_to_one_core();
    ks_create_args create{sizeof create, 1, isa.empty() ? nullptr : isa.c_str()};
    ks_library *created = nullptr;
    check(ks_create(&create, &created));
    std::unique_ptr<ks_library, decltype(&ks_destroy)> library(created, ks_destroy);
    Context context{
        *library, rounds,
        fmt::format("{}, core {}, {}, rivals by g++ {}", cpu_name(), core, ks_isa(created), __VERSION__)};
    for (const Entry &e : entries())
        if (only.empty() || only == e.id) {
            fmt::print("{}\n", json_of(e.measure(context)).dump());
            std::fflush(stdout);
        }
}

} // namespace

} // namespace ks::bench

int main(int argc, char **argv) {
    CLI::App app("ks_bench_rows: one JSON object per row");
    std::string only, isa;
    int rounds = 11;
    bool list = false;
    app.add_option("--only", only, "one row");
    app.add_option("--isa", isa, "avx2 or avx512 (default: the best of this CPU)")
        ->check(CLI::IsMember({"avx2", "avx512"}));
    app.add_option("--rounds", rounds, "interleaved rounds")->check(CLI::Range(3, 1000));
    app.add_flag("--list", list, "print the ids");
    CLI11_PARSE(app, argc, argv);
    if (list) {
        for (const auto &e : ks::bench::entries()) fmt::print("{}\n", e.id);
        return 0;
    }
    try {
        ks::bench::run(only, isa, rounds);
        return 0;
    } catch (const std::exception &e) {
        std::fprintf(stderr, "ks_bench_rows: %s\n", e.what());
        return 1;
    }
}
