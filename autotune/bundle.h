// SPDX-License-Identifier: Apache-2.0
// Makes measuring kits: candidates built here, to be measured where there is no compiler.
#pragma once
#include "autotune/kit/manifest.h"
#include "autotune/tune.h"

namespace ks::tune {

struct BundleOptions {
    std::string out;        // a folder, or a file *.tar; must not exist yet
    std::string program;    // ks_measure, to be copied into the kit
    size_t candidates = 32; // of each task at most, the default included
    uint64_t seed = 1;
    Options build; // jobs, artefacts, build_seconds
};

// The default, what did best in the history, what is suggested, then what the search proposes: a random
// sample where nothing is known yet, else points near the good ones.
std::vector<Knobs> choose_candidates(const Task &task, const std::vector<Trial> &history, size_t most,
                                     uint64_t seed);

// Writes a kit, whole or not at all. Tasks with a device whose samples the store has go on from them. A
// candidate that cannot be built is left out, and of several with the same machine code all but the one
// nearest to the default; `log` is told. Throws ks::Error, also when a default cannot be built.
Manifest bundle(const std::vector<Task> &tasks, const BundleOptions &options, Builder &builder, Store &store,
                const std::map<std::string, Contract> &contracts, std::ostream &log);

} // namespace ks::tune
