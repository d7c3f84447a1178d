// SPDX-License-Identifier: Apache-2.0
#include "autotune/verbs.h"
#include "autotune/device.h"
#include "autotune/intervals.h"
#include "autotune/kernel_of.h"
#include "autotune/kit/environment.h"
#include "autotune/pack/build.h"
#include "autotune/report.h"
#include "autotune/tasks.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include <algorithm>
#include <cctype>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <iostream>
#include <sstream>
#include <unistd.h>

namespace ks::tune {

namespace fs = std::filesystem;

namespace {

std::map<std::string, std::string> parse_shape(const std::string &text) {
    std::map<std::string, std::string> shape;
    std::stringstream in(text);
    for (std::string part; std::getline(in, part, ',');) {
        size_t equals = part.find('=');
        if (equals == 0 || equals == std::string::npos || equals + 1 == part.size())
            throw Error("shape " + text, "'" + part + "' is not of the form name=value");
        shape[part.substr(0, equals)] = part.substr(equals + 1);
    }
    return shape;
}

Table open_table(const std::string &device, const Places &places) {
    Table t;
    if (std::string path = table_for(device, places); fs::exists(path)) t = load_table(path);
    // Rules of another machine do not hold here; they stay in its own file.
    if (t.device != device) t = {device, {}, {}};
    return t;
}

void dry_run(const std::vector<Task> &tasks, const TuneOptions &o) {
    size_t all = 0;
    for (const Task &t : tasks) {
        size_t points = t.space.all().size();
        all += points;
        fmt::print("{} {} {}: {} candidates, {} shapes\n", t.op, t.spec.text(), t.isa, points,
                   t.shapes.size());
        for (const Knob &k : t.space.knobs())
            fmt::print("    {} in {{{}}}, default {}: {}\n", k.name, fmt::join(k.values, ", "),
                       k.of(t.space.fallback()), k.help);
    }
    // A candidate takes about 0.7 s to build, which the jobs share, and 0.1 s to check and time.
    double seconds = (0.7 / o.jobs + 0.1) * static_cast<double>(all);
    fmt::print("{} candidates in all: about {:.0f} s for the whole space, {:.0f} s as budgeted\n", all,
               seconds, o.budget);
}

} // namespace

std::string own_path() { return fs::read_symlink("/proc/self/exe").string(); }

WorkerBuilder own_builder() {
    std::string program = fmt::format("/proc/{}/exe", getpid());
    return {{program, "build-worker"}, content_hash(file_contents(program))};
}

void suggest(const Table &table, Task &task, size_t most) {
    for (const Knobs &k : table.winners(task.op, task.spec, task.isa))
        if (task.suggested.size() < most && task.space.legal(k)) task.suggested.push_back(k);
}

std::vector<Task> tasks_of(const TuneOptions &o, const std::string &isa) {
    if (!o.model.empty()) return model_tasks(o.model, o.dtype, isa);
    auto shape = parse_shape(o.shape);
    if (!o.dtype.empty() && op_named(o.op).contract.choices.count("weight")) shape["weight"] = o.dtype;
    return {task_of(o.op, shape, isa)};
}

// The table of this machine's CPU is the one that packs are built with; every other device has a file of its
// own.
std::string table_for(const std::string &device, const Places &places) {
    if (device == cpu_name()) return places.table();
    std::string name;
    for (unsigned char c : device)
        if (std::isalnum(c))
            name += static_cast<char>(std::tolower(c));
        else if (!name.empty() && name.back() != '-')
            name += '-';
    return places.folder + "/" + name.substr(0, name.find_last_not_of('-') + 1) + ".json";
}

Places default_places() { return {(fs::path(own_path()).parent_path().parent_path() / "tuned").string()}; }

void tune_verb(const TuneOptions &o, const Places &places) {
    std::string isa = o.isa.empty() ? best_isa() : o.isa;
    if (isa.empty()) throw Error("this CPU", "has neither AVX-512 nor AVX2: nothing can be measured");
    std::vector<Task> tasks = tasks_of(o, isa);
    if (o.dry_run) return dry_run(tasks, o);
    Device &device = device_for(isa);
    if (!device.runs(isa)) throw Error("--isa " + isa, "cannot be measured on this machine");
    for (Task &t : tasks) t.device = device.name();
    fs::create_directories(places.artefacts());
    Store store(places.store());
    Table table = open_table(device.name(), places);
    WorkerBuilder builder = own_builder();
    WorkerMeter meter({own_path(), "measure-worker"}, 60, 60);
    auto progress = make_progress(std::cerr, isatty(STDERR_FILENO));
    auto start = std::chrono::steady_clock::now();
    Report report(isa);
    // What a task leaves of its share goes to those after it, so the ones that may run out of candidates come
    // first.
    std::stable_sort(tasks.begin(), tasks.end(), [](const Task &a, const Task &b) {
        return a.space.all().size() < b.space.all().size();
    });
    for (size_t i = 0; i < tasks.size(); i++) {
        double used = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        Options options;
        options.seconds = std::max(1.0, (o.budget - used) / static_cast<double>(tasks.size() - i));
        options.seed = o.seed;
        options.finalists = 3;
        options.final_rounds = 12;
        options.jobs = static_cast<size_t>(o.jobs);
        constexpr size_t most_suggested = 5;
        options.artefacts = places.artefacts();
        progress->note(
            fmt::format("{} of {}: {} {}", i + 1, tasks.size(), tasks[i].op, tasks[i].spec.text()));
        suggest(table, tasks[i], most_suggested);
        Result result = tune(tasks[i], options, builder, meter, store, *progress);
        auto rules = make_rules(tasks[i], result, utc_now());
        table.replace(make_tuned(tasks[i], result, utc_now()), rules);
        save_table(table, table_for(device.name(), places));
        report.add(tasks[i], result, rules);
    }
    report.print();
}

void show_verb(const Places &places) {
    Table table = load_table(places.table());
    fmt::print("{}\n", table.device);
    for (const Rule &r : table.rules) {
        Spec spec{r.choices, r.fixed};
        fmt::print("{} {} {} where {}: {}\n", r.op, spec.text(), r.isa, r.where_text(), r.knobs);
        for (const Evidence &e : r.evidence)
            fmt::print("    {}: {:.1f} us, {:.3f} of the default's time ({:.3f} to {:.3f})\n",
                       dims_text(e.shape), e.seconds * 1e6, e.ratio, e.low, e.high);
    }
}

void why_verb(const std::string &op, const std::string &shape_text, const std::string &isa,
              const Places &places) {
    const Contract &c = op_named(op).contract;
    std::map<std::string, std::string> choices;
    Dims dims;
    for (const auto &[name, value] : parse_shape(shape_text)) {
        if (c.choices.count(name))
            choices[name] = value;
        else
            dims[c.dim(name).name] = parse_dims(name + "=" + value).at(name);
    }
    for (const auto &[name, values] : c.choices)
        if (!choices.count(name))
            throw Error("shape " + shape_text, "lacks the choice " + name + " (one of " +
                                                   fmt::format("{}", fmt::join(values, ", ")) + ")");
    std::string device = isa == "cuda" ? device_for(isa).name() : cpu_name();
    fmt::print("{}\n",
               open_table(device, places)
                   .why(op, choices, kernel_isa(c, {choices, {}}, isa.empty() ? best_isa() : isa), dims));
}

namespace {

std::vector<std::string> pack_isas(const PackOptions &o) {
    if (!o.isas.empty()) return o.isas;
    if (ptx::Ptxas::find()) return all_targets();
    fmt::print(stderr, "ksc pack: there is no ptxas on this machine, so kernels for GPUs are left out\n");
    return all_isas();
}

} // namespace

void pack_verb(const PackOptions &o) {
    const std::vector<std::string> isas = pack_isas(o);
    auto kernels = pack::default_kernels(isas);
    std::vector<std::string> stale;
    for (const std::string &table : o.tables)
        if (fs::exists(table))
            for (auto &k : tuned_kernels(load_table(table), isas, stale)) kernels.push_back(std::move(k));
    for (const auto &rule : stale)
        fmt::print(stderr, "ksc pack: left out, tuned for another version of its op: {}\n", rule);
    pack::build_pack(kernels, o.folder, o.jobs, [](size_t done, size_t all) {
        if (done % 10 == 0 || done == all)
            fmt::print(stderr, "ksc pack: {} of {} kernels built\n", done, all);
    });
}

} // namespace ks::tune
