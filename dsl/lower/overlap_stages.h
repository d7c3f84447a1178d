// SPDX-License-Identifier: Apache-2.0
// What the overlap pass finds in the body of its loop: the statements of each stage, checked.
#pragma once
#include "dsl/lower/overlap_pass.h"
#include "dsl/lower/pseudo_calls.h"
#include <map>

namespace ks::lower {

struct RegisterArray {
    Halide::Type type;
    int size; // elements
};

struct Stages {
    std::vector<Halide::Internal::Stmt> copy, direct, prepared, main, epilogue_loads, epilogue, registers,
        once;
    std::vector<Halide::Internal::Stmt> late_registers; // of the epilogue, with load_late
    std::map<std::string, RegisterArray> late; // register copies that the epilogue reads, by allocation
};

// What stands around a place: loops, as their Vars and the values these take, lets, and arrays in registers.
struct Around {
    std::vector<std::pair<std::string, Halide::Internal::Interval>> loops;
    Lets lets;
    std::set<std::string> registers;
};

// Throws ks::Error naming the assumption that `loop` breaks.
Stages sort_stages(const OverlapStages &wanted, const Halide::Internal::For *loop, const std::string &shared,
                   const Around &around);

} // namespace ks::lower
