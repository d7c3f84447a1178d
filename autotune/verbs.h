// SPDX-License-Identifier: Apache-2.0
// What the verbs of ksc do. All throw ks::Error for bad input.
#pragma once
#include "autotune/candidate.h"
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

struct TuneOptions {
    std::string op, shape; // one op at "k=v,...", or
    std::string model;     // every op of a model folder
    std::string dtype, isa;
    double budget = 120; // seconds for everything
    uint64_t seed = 1;
    int jobs = 1; // processes that build; only one ever measures
    bool dry_run = false;
};

void tune_verb(const TuneOptions &options, const Places &places);
void show_verb(const Places &places);
void why_verb(const std::string &op, const std::string &shape, const std::string &isa, const Places &places);

struct PackOptions {
    std::string folder, table;     // table: may be missing, then base kernels alone
    std::vector<std::string> isas; // empty: all of the CPU, and "cuda" where there is a ptxas
    int jobs = 1;
};
void pack_verb(const PackOptions &options);

} // namespace ks::tune
