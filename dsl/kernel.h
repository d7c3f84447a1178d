// SPDX-License-Identifier: Apache-2.0
// A scheduled pipeline with its argument list and the lowering passes it needs, and how it is compiled.
#pragma once
#include "dsl/lowering_pass.h"
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ks {

struct Kernel {
    std::vector<Halide::Func> outputs;
    std::vector<Halide::Argument> arguments;           // inputs; outputs follow in the order of `outputs`
    std::vector<std::shared_ptr<LoweringPass>> passes; // run in this order
};

// Features every kernel of a pack is built with: it brings no runtime, and contracts are checked by the caller.
Halide::Target kernel_target(const std::string &isa); // "avx2" or "avx512"; throws ks::Error for others

// Writes the files named in `outputs`. Throws ks::Error when a pass found an assumption broken, when a
// pseudo-call survived, or when Halide refuses the schedule. A Kernel is compiled once.
void compile(const Kernel &kernel, const std::string &symbol, const Halide::Target &target,
             const std::map<Halide::OutputFileType, std::string> &outputs);

// Lowers without writing anything: the Module, for tests that read the IR.
Halide::Module lower_to_module(const Kernel &kernel, const std::string &symbol, const Halide::Target &target);

} // namespace ks
