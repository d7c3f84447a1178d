// SPDX-License-Identifier: Apache-2.0
// ks bench: prompt processing (pp) and token generation (tg) speed, in the rows and formats of llama-bench.
#include "runtime/base/clock.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
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
    int prompt, generate;   // tokens
    double mean, deviation; // tokens per second
    std::vector<double> samples;
};

Row row_of(int prompt, int generate, const std::vector<double> &seconds) {
    Row r{
        prompt ? "pp" + std::to_string(prompt) : "tg" + std::to_string(generate), prompt, generate, 0, 0, {}};
    for (double s : seconds) r.samples.push_back((prompt + generate) / s);
    for (double v : r.samples) r.mean += v / static_cast<double>(r.samples.size());
    for (double v : r.samples) r.deviation += (v - r.mean) * (v - r.mean);
    if (r.samples.size() > 1)
        r.deviation = std::sqrt(r.deviation / static_cast<double>(r.samples.size() - 1));
    return r;
}

std::vector<Row> measure(model::Model &model, const Options &o) {
    std::vector<int> ids(static_cast<size_t>(std::max(o.prompt, o.generate)) + 1);
    for (size_t i = 0; i < ids.size(); i++)
        ids[i] = static_cast<int>((i * 7919 + 13) % static_cast<size_t>(model.config().tokens));
    model::State state(model.config(), 1);
    auto prompt = [&] { model.prefill(state, 0, ids.data(), static_cast<size_t>(o.prompt)); };
    auto generate = [&] {
        int one = 1;
        for (int i = 0; i < o.generate; i++)
            model.forward(state, {0, 1, &ids[static_cast<size_t>(i)], &one}, model::Logits::last);
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
    if (o.prompt) rows.push_back(row_of(o.prompt, 0, pp));
    if (o.generate) rows.push_back(row_of(0, o.generate, tg));
    return rows;
}

// What the columns of all rows share.
struct Setting {
    std::string model, dtype, isa;
    size_t bytes; // of the weights
    int64_t parameters;
    int threads;
};

Setting setting_of(const Options &o, const model::Model &model) {
    int64_t parameters = count_parameters(io::Checkpoint(o.model.folder), model.config(), false);
    return {o.model.folder,
            name_of(o.model.options().dtype),
            ks_isa(&model.library()),
            model.weight_bytes(),
            parameters,
            static_cast<int>(ks_threads(&model.library()))};
}

void print_table(const Setting &s, const std::vector<Row> &rows) {
    fmt::print("| model | size | params | dtype | isa | threads | test | t/s |\n");
    fmt::print("| --- | ---: | ---: | --- | --- | ---: | ---: | ---: |\n");
    for (const Row &r : rows)
        fmt::print("| {} | {:.2f} MiB | {:.2f} M | {} | {} | {} | {} | {:.2f} ± {:.2f} |\n", s.model,
                   static_cast<double>(s.bytes) / 1048576, static_cast<double>(s.parameters) * 1e-6, s.dtype,
                   s.isa, s.threads, r.test, r.mean, r.deviation);
}

void print_csv(const Setting &s, const std::vector<Row> &rows) {
    std::string name;
    for (char c : s.model) name += c == '"' ? "\"\"" : std::string(1, c);
    fmt::print("model,model_size,model_n_params,dtype,isa,n_threads,n_prompt,n_gen,test,avg_ts,stddev_ts\n");
    for (const Row &r : rows)
        fmt::print("\"{}\",{},{},{},{},{},{},{},{},{:.6f},{:.6f}\n", name, s.bytes, s.parameters, s.dtype,
                   s.isa, s.threads, r.prompt, r.generate, r.test, r.mean, r.deviation);
}

void print_json(const Setting &s, const std::vector<Row> &rows, bool lines) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Row &r : rows)
        list.push_back({{"model", s.model},
                        {"model_size", s.bytes},
                        {"model_n_params", s.parameters},
                        {"dtype", s.dtype},
                        {"isa", s.isa},
                        {"cpu_info", cpu_name()},
                        {"n_threads", s.threads},
                        {"n_prompt", r.prompt},
                        {"n_gen", r.generate},
                        {"test", r.test},
                        {"avg_ts", r.mean},
                        {"stddev_ts", r.deviation},
                        {"samples_ts", r.samples}});
    auto replace = nlohmann::json::error_handler_t::replace; // folder names need not be UTF-8
    if (!lines) fmt::print("{}\n", list.dump(2, ' ', false, replace));
    for (size_t i = 0; lines && i < list.size(); i++)
        fmt::print("{}\n", list[i].dump(-1, ' ', false, replace));
}

void print(const std::string &format, const Setting &s, const std::vector<Row> &rows) {
    if (format == "md") return print_table(s, rows);
    if (format == "csv") return print_csv(s, rows);
    print_json(s, rows, format == "jsonl");
}

} // namespace

void add_bench(CLI::App &app, Run &run) {
    auto o = std::make_shared<Options>();
    CLI::App *verb = app.add_subcommand("bench", "tokens per second of a model");
    o->model.add(*verb);
    verb->add_option("-p,--n-prompt", o->prompt, "tokens of the prompt; 0: skip")
        ->check(CLI::Range(0, 1 << 20));
    verb->add_option("-n,--n-gen", o->generate, "tokens to generate; 0: skip")->check(CLI::Range(0, 1 << 20));
    verb->add_option("-r,--repetitions", o->repeats, "timed repetitions")->check(CLI::Range(1, 10000));
    verb->add_option("-o,--output", o->format, "md, csv, json or jsonl")
        ->check(CLI::IsMember({"md", "csv", "json", "jsonl"}));
    verb->callback([o, &run] {
        run = [o] {
            if (!o->prompt && !o->generate) throw Error("-p 0 -n 0", "leaves nothing to measure");
            auto model = o->model.load();
            print(o->format, setting_of(*o, *model), measure(*model, *o));
        };
    });
}

} // namespace ks::cli
