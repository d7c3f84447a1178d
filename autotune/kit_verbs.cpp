// SPDX-License-Identifier: Apache-2.0
// ksc bundle, measure, import, dispatch: candidates are built on one machine and measured on another.
#include "autotune/bundle.h"
#include "autotune/import.h"
#include "autotune/kit/environment.h"
#include "autotune/kit/measure_kit.h"
#include "autotune/recorded.h"
#include "autotune/tasks.h"
#include "autotune/verbs.h"
#include "runtime/base/cpu.h"
#include "runtime/base/error.h"
#include "runtime/io/atomic_file.h"
#include "schedules/registry.h"
#include <filesystem>
#include <fmt/format.h>
#include <iostream>

namespace ks::tune {

namespace fs = std::filesystem;

namespace {

// Tasks of all instruction sets, one a kernel: not every op has kernels of its own for avx512_bf16.
std::vector<Task> all_tasks(const BundleVerbOptions &o) {
    std::vector<Task> tasks;
    for (const std::string &isa : o.isas) {
        std::vector<Task> some;
        TuneOptions t;
        t.dtype = o.dtype, t.model = o.model;
        if (!o.model.empty()) some = tasks_of(t, isa);
        for (size_t i = 0; i < o.ops.size(); i++) {
            t.model.clear(), t.op = o.ops[i], t.shape = o.shapes[i];
            for (Task &task : tasks_of(t, isa)) some.push_back(std::move(task));
        }
        for (Task &task : some) add_task(tasks, std::move(task));
    }
    return tasks;
}

std::string kit_record(const Places &places, const std::string &id) {
    return places.folder + "/kits/" + id + ".json";
}

void make_table(const Store &store, const std::string &device, const std::string &file,
                const Places &places) {
    std::string path = file.empty() ? table_for(device, places) : file;
    Table table{device, {}, {}};
    if (fs::exists(path)) table = load_table(path);
    if (table.device != device) throw Error(path, "is the table of another device: " + table.device);
    std::vector<Recorded> recorded = recorded_results(store, device);
    if (recorded.empty())
        throw Error("device " + device, "has no final rounds of this program's ops and compiler");
    put_recorded(table, recorded, utc_now());
    save_table(table, path);
    fmt::print("{}: {} rules of {} kernels, for {}\n", path, table.rules.size(), table.tuned.size(), device);
}

} // namespace

void bundle_verb(const BundleVerbOptions &o, const Places &places) {
    if (o.ops.size() != o.shapes.size()) throw Error("--op", "needs one --shape each");
    std::vector<Task> tasks = all_tasks(o);
    fs::create_directories(places.artefacts());
    fs::create_directories(places.folder + "/kits");
    Store store(places.store());
    std::string device = o.device.empty() ? "not measured yet" : device_like(store, o.device);
    std::map<std::string, Contract> contracts;
    for (Task &t : tasks) t.device = device, contracts[t.op] = op_named(t.op).contract;
    if (!o.table.empty()) {
        Table table = load_table(o.table);
        for (Task &t : tasks) suggest(table, t, o.candidates);
    }
    BundleOptions b;
    b.out = o.out, b.candidates = o.candidates, b.seed = o.seed;
    b.program = fs::path(own_path()).replace_filename("ks_measure").string();
    b.build.jobs = static_cast<size_t>(o.jobs);
    b.build.artefacts = places.artefacts();
    if (!fs::exists(b.program)) throw Error(b.program, "is missing: build the target ks_measure");
    WorkerBuilder builder = own_builder();
    Manifest kit = bundle(tasks, b, builder, store, contracts, std::cerr);
    std::string text = kit.text();
    io::AtomicFile record(kit_record(places, kit.id()));
    record.write(text.data(), text.size());
    record.commit();
    fmt::print("{}: kit {}, {} tasks\n", o.out, kit.id(), kit.tasks.size());
}

void measure_verb(const MeasureOptions &options) {
    MeasureOptions o = options;
    o.worker = {own_path(), "kit-worker", o.kit};
    MeasureSummary sum = measure_kit(o, std::cerr);
    fmt::print("{}\n", summary_text(sum));
}

void import_verb(const std::vector<std::string> &files, const std::string &kit, const std::string &table,
                 const Places &places) {
    fs::create_directories(places.folder);
    Store store(places.store());
    std::set<std::string> devices;
    for (const std::string &file : files) {
        Results results = read_results(file);
        if (results.runs.empty()) throw Error(file, "has no results");
        std::string id = results.runs[0].kit, record = kit_record(places, id);
        if (kit.empty() && !fs::exists(record))
            throw Error(file,
                        "is of a kit that was not bundled here (" + id + "): give its folder with --kit");
        Manifest manifest = kit.empty() ? parse_manifest(file_contents(record), record) : load_manifest(kit);
        ImportSummary sum = import_results(results, file, manifest, store);
        fmt::print("{}: {} candidates, {} of them lost; {} batches added, {} known{}\n", file, sum.candidates,
                   sum.lost, sum.batches, sum.known, results.ended ? "" : "; not measured to the end yet");
        if (sum.other_code)
            fmt::print("{} candidates have been built anew since, to other machine code: these results are "
                       "kept, but decide nothing\n",
                       sum.other_code);
        if (sum.slow_rounds)
            fmt::print("{} rounds left out: the clock was below three quarters of its median\n",
                       sum.slow_rounds);
        fmt::print("{}", figures(results, manifest));
        devices.insert(sum.devices.begin(), sum.devices.end());
    }
    if (devices.size() > 1 && !table.empty())
        throw Error("--table " + table, "the results are of several devices");
    for (const std::string &device : devices) make_table(store, device, table, places);
}

void dispatch_verb(const std::string &device, const std::string &table, const Places &places) {
    Store store(places.store(), Store::Mode::read);
    make_table(store, device.empty() ? cpu_name() : device_like(store, device), table, places);
}

} // namespace ks::tune
