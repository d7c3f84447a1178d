// SPDX-License-Identifier: Apache-2.0
// ks bench: prompt processing (pp) and token generation (tg) speed, in the rows and formats of llama-bench.
#include "runtime/base/cpu.h"
#include "runtime/cli/common.h"
#include <cmath>
#include <cstdio>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ks::cli {

namespace {

struct Options {
    ModelFlags model;
    int prompt = 512, generate = 128, repeats = 5;
    std::string format = "md";
};

struct Row {
    std::string test;
    double mean, deviation; // tokens per second
    std::vector<double> samples;
};

Row row_of(const std::string &test, int tokens, const std::vector<double> &seconds) {
    Row r{test, 0, 0, {}};
    for (double s : seconds) r.samples.push_back(tokens / s);
    for (double v : r.samples) r.mean += v / static_cast<double>(r.samples.size());
    for (double v : r.samples) r.deviation += (v - r.mean) * (v - r.mean);
    if (r.samples.size() > 1) r.deviation = std::sqrt(r.deviation / static_cast<double>(r.samples.size() - 1));
    return r;
}

std::vector<Row> measure(model::Model &model, const Options &o) {
    std::vector<int> ids(static_cast<size_t>(std::max(o.prompt, o.generate)) + 1);
    for (size_t i = 0; i < ids.size(); i++) ids[i] = static_cast<int>((i * 7919 + 13) % static_cast<size_t>(model.config().tokens));
    model::State state(model.config(), 1);
    auto prompt = [&] { model.prefill(state, 0, ids.data(), static_cast<size_t>(o.prompt)); };
    auto generate = [&] {
        int one = 1;
        for (int i = 0; i < o.generate; i++) model.forward(state, {0, 1, &ids[static_cast<size_t>(i)], &one}, model::Logits::last);
    };
    std::vector<double> pp, tg;
    for (int r = -1; r < o.repeats; r++) { // the first round warms up
        state.clear();
        double start = seconds_now();
        if (o.prompt) prompt();
        double middle = seconds_now();
        generate();
        if (r < 0) continue;
        pp.push_back(middle - start);
        tg.push_back(seconds_now() - middle);
    }
    std::vector<Row> rows;
    if (o.prompt) rows.push_back(row_of("pp" + std::to_string(o.prompt), o.prompt, pp));
    if (o.generate) rows.push_back(row_of("tg" + std::to_string(o.generate), o.generate, tg));
    return rows;
}

void print(const Options &o, const model::Model &model, const std::vector<Row> &rows) {
    std::string dtype = name_of(o.model.options().dtype);
    auto threads = static_cast<int>(ks_threads(&model.library()));
    double megabytes = static_cast<double>(model.weight_bytes()) * 1e-6;
    if (o.format == "md") {
        fmt::print("| model | size | dtype | isa | threads | test | t/s |\n| --- | ---: | --- | --- | ---: | ---: | ---: |\n");
        for (const Row &r : rows)
            fmt::print("| {} | {:.1f} MB | {} | {} | {} | {} | {:.2f} ± {:.2f} |\n", o.model.folder, megabytes, dtype,
                       ks_isa(&model.library()), threads, r.test, r.mean, r.deviation);
        return;
    }
    if (o.format == "csv") {
        fmt::print("model,size_bytes,dtype,isa,threads,test,avg_ts,stddev_ts\n");
        for (const Row &r : rows)
            fmt::print("\"{}\",{},{},{},{},{},{:.3f},{:.3f}\n", o.model.folder, model.weight_bytes(), dtype,
                       ks_isa(&model.library()), threads, r.test, r.mean, r.deviation);
        return;
    }
    nlohmann::json list = nlohmann::json::array();
    for (const Row &r : rows)
        list.push_back({{"model", o.model.folder}, {"size_bytes", model.weight_bytes()}, {"dtype", dtype},
                        {"isa", ks_isa(&model.library())}, {"threads", threads}, {"cpu", cpu_name()}, {"test", r.test},
                        {"avg_ts", r.mean}, {"stddev_ts", r.deviation}, {"samples_ts", r.samples}});
    if (o.format == "json") fmt::print("{}\n", list.dump(2));
    else
        for (const auto &row : list) fmt::print("{}\n", row.dump());
}

} // namespace

void add_bench(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("bench", "tokens per second of a model");
    o->model.add(*verb);
    verb->add_option("-p,--n-prompt", o->prompt, "tokens of the prompt; 0: skip")->check(CLI::Range(0, 1 << 20));
    verb->add_option("-n,--n-gen", o->generate, "tokens to generate; 0: skip")->check(CLI::Range(0, 1 << 20));
    verb->add_option("-r,--repetitions", o->repeats, "timed repetitions")->check(CLI::Range(1, 10000));
    verb->add_option("-o,--output", o->format, "md, csv, json or jsonl")->check(CLI::IsMember({"md", "csv", "json", "jsonl"}));
    verb->callback([o, &run] {
        run = [o] {
            auto model = o->model.load();
            print(*o, *model, measure(*model, *o));
        };
    });
}

} // namespace ks::cli
