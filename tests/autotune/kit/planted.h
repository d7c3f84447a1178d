// SPDX-License-Identifier: Apache-2.0
// A kit of the op `add` made by hand, with candidates compiled from planted.cpp.in as the test wants them:
// right, wrong, hanging, crashing.
#pragma once
#include "autotune/kit/manifest.h"
#include "generators/add.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ks::tune {

namespace fs = std::filesystem;

inline fs::path fresh_folder(const std::string &name) {
    fs::path dir = fs::path(testing::TempDir()) / (name + std::to_string(getpid()));
    fs::remove_all(dir);
    fs::create_directories(dir);
    return dir;
}

// What the planted kernel does beside y = a + b, by name: "right", "right2", "slow" (right), "wrong" (at
// T=7), "parts" (wrong when cut), "crash", "hang", "late_crash" and "late_hang" (where it is timed alone,
// T=64).
inline void compile_planted(const std::string &fault, const fs::path &to) {
    std::string command = std::string(KS_CXX) + " -std=c++17 -O1 -shared -fPIC -I " + KS_SOURCE_DIR +
                          " -DFAULT_" + fault + " -o " + to.string() + " " + KS_SOURCE_DIR +
                          "/tests/autotune/kit/planted.cpp.in";
    command.replace(command.find(" -o "), 4, " -x c++ -o ");
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

// Writes the kit; the first fault is the default's.
inline Manifest planted_kit(const fs::path &folder, const std::vector<std::string> &faults) {
    fs::create_directories(folder / "objects");
    Manifest m;
    m.compiler = "cc 1";
    m.search_rounds = 2, m.final_rounds = 6;
    m.contracts["add"] = add_contract();
    KitTask t{"add", add_contract().version, {{}, {{"H", 24}}}, "avx2", {}, {}, {}, {}};
    t.shapes = {{{"T", 64}}}, t.check_shapes = {{{"T", 1}}, {{"T", 7}}};
    for (size_t i = 0; i < faults.size(); i++) {
        Knobs knobs(std::map<std::string, std::string>{{"plan", faults[i]}});
        std::string id = identity(t.candidate(knobs), {t.op_version, m.compiler});
        std::string file = "objects/" + id + ".kernel.so";
        compile_planted(faults[i], folder / file);
        t.candidates.push_back({id, knobs, file, content_hash(file_contents((folder / file).string()))});
    }
    m.tasks = {t};
    std::ofstream(folder / "manifest.json") << m.text();
    return m;
}

} // namespace ks::tune
