// SPDX-License-Identifier: Apache-2.0
// What the verbs of ksc do. All throw ks::Error for bad input.
#pragma once
#include "autotune/dispatch.h"
#include "autotune/kit/measure_kit.h"
#include "autotune/tune.h"
#include "runtime/base/cpu.h"
#include <string>
#include <vector>

namespace ks::tune {

// Where a tuning run keeps its samples and its findings.
struct Places {
    std::string folder; // default: tuned/ beside the folder that ksc is in
    std::string store() const { return folder + "/store.db"; }
    std::string table() const { return folder + "/table.json"; }
    std::string artefacts() const { return folder + "/artefacts"; }
};
Places default_places();
std::string table_for(const std::string &device, const Places &places); // a file
std::string own_path();                                                 // of this program
// Processes of this very program, even if its file is replaced meanwhile. The fingerprint is over its
// contents: its generators, schedules and passes have no version, and Versions::compiler is that of what they
// call.
WorkerBuilder own_builder();

struct TuneOptions {
    std::string op, shape; // one op at "k=v,...", or
    std::string model;     // every op of a model folder
    std::string dtype, isa;
    double budget = 120; // seconds for everything
    uint64_t seed = 1;
    int jobs = 1; // processes that build; only one ever measures
    bool dry_run = false;
};

// What won for the op, of other widths too, is likely to be good here: up to `most` of it.
void suggest(const Table &table, Task &task, size_t most);
std::vector<Task> tasks_of(const TuneOptions &options, const std::string &isa);
void tune_verb(const TuneOptions &options, const Places &places);
void show_verb(const Places &places);
void why_verb(const std::string &op, const std::string &shape, const std::string &isa, const Places &places);

struct BundleVerbOptions {
    std::vector<std::string> ops, shapes; // one shape for each op, and
    std::string model, dtype;             // every op of a model folder
    std::vector<std::string> isas = {"avx2", "avx512"};
    std::string out, device; // device: part of its name, when its samples are to be gone on from
    std::string table;       // a dispatch table whose winners are tried first
    size_t candidates = 32;
    uint64_t seed = 1;
    int jobs = 1;
};
void bundle_verb(const BundleVerbOptions &options, const Places &places);
void measure_verb(const MeasureOptions &options);
// `kit`: its folder, "" when it was bundled with the same `places`. `table`: "" for the device's own.
void import_verb(const std::vector<std::string> &files, const std::string &kit, const std::string &table,
                 const Places &places);
void dispatch_verb(const std::string &device, const std::string &table, const Places &places);

struct PackOptions {
    std::string folder;
    std::vector<std::string> tables; // of this CPU and of GPUs; one that is missing adds nothing
    std::vector<std::string> isas;   // empty: all of the CPU, and "cuda" where there is a ptxas
    int jobs = 1;
};
void pack_verb(const PackOptions &options);

} // namespace ks::tune
