// SPDX-License-Identifier: Apache-2.0
// What is in a measuring kit: its tasks, the candidates of each, and the contracts that say how to call them.
// A kit is a folder: manifest.json, objects/<candidate>.kernel.so, and the program ks_measure.
#pragma once
#include "autotune/candidate.h"
#include <string>
#include <vector>

namespace ks::tune {

struct KitCandidate {
    std::string id; // identity()
    Knobs knobs;
    std::string file; // below the kit's folder
    std::string code; // content_hash of the file
};

// Built and left out: measuring it would tell nothing new.
struct KitTwin {
    std::string id;
    Knobs knobs;
    std::string same_as; // id of the candidate with the same machine code
};

struct KitTask {
    std::string op;
    int op_version = 0;
    Spec spec;
    std::string isa;
    std::vector<Dims> shapes, check_shapes;
    std::vector<KitCandidate> candidates; // the default first
    std::vector<KitTwin> twins;
    // Those of `shapes` at which the oracle would take minutes: there the answer is what the default gives,
    // which has been right at all of `check_shapes` first.
    std::vector<Dims> by_default = {};

    Candidate candidate(const Knobs &knobs) const { return {op, spec, isa, knobs}; }
    std::string text() const; // "linear K=8,P=2 avx2"
};

struct Manifest {
    static constexpr int newest_format = 2;
    std::string compiler; // Versions::compiler
    int search_rounds = 3, final_rounds = 12;
    size_t finalists = 3; // beside the default
    std::map<std::string, Contract> contracts;
    std::vector<KitTask> tasks;

    std::string text() const; // as in manifest.json
    std::string id() const;   // of the kit: 16 hexadecimal digits over the text
    // Throws ks::Error("kit", ...) for an op that it brings no contract for.
    const Contract &contract(const std::string &op) const;
};

Manifest parse_manifest(const std::string &text,
                        const std::string &source); // throws ks::Error(source, cause)
Manifest load_manifest(const std::string &kit);     // of a kit's folder

std::string content_hash(const std::string &bytes); // 16 hexadecimal digits (FNV-1a)
std::string file_contents(const std::string &path); // throws ks::Error when it cannot be read
std::vector<Dims> all_shapes(const KitTask &task);  // where a candidate is checked, none twice

} // namespace ks::tune
