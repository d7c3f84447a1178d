// SPDX-License-Identifier: Apache-2.0
// A scheduled pipeline with its argument list and the lowering passes it needs, and how it is compiled.
#pragma once
#include "dsl/lowering_pass.h"
#include "dsl/ptx/text.h"
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ks {

// Of kernels for a GPU: what becomes of Halide's PTX before it is assembled.
struct DeviceCode {
    std::vector<std::function<std::string(const std::string &)>> edits; // of the whole text, in this order
    std::map<std::string, ptx::Expansion> expansions;                   // then of the pseudo-calls
    // What the launcher has to know beside the code (runtime/kernels/cuda/tile_launch.h), by the text as
    // Halide wrote it; null: an ordinary launch.
    std::function<std::vector<uint8_t>(const std::string &)> launch = nullptr;
    int max_registers = 0; // per thread; 0: as many as the architecture has
    std::string arch;      // the one that has its instructions ("sm_90a"); empty: any from sm_80 on
    // Whether the launch behind may begin while blocks of this one run. Its blocks then settle on whatever
    // multiprocessors are not full: for kernels that leave all of them alike.
    bool early_successor = false;
};

struct Kernel {
    std::vector<Halide::Func> outputs;
    std::vector<Halide::Argument> arguments;           // inputs; outputs follow in the order of `outputs`
    std::vector<std::shared_ptr<LoweringPass>> passes; // run in this order; null ones are none
    DeviceCode device = {};
};

// Features every kernel of a pack is built with: it brings no runtime, and contracts are checked by the
// caller. `isa` is "avx2", "avx512", "avx512_bf16" (with the dot product of bf16 pairs) or "cuda"; throws
// ks::Error for others.
Halide::Target kernel_target(const std::string &isa);
// Whether kernels for `target` have a dot product of pairs of bf16, summed in f32.
bool has_bf16_dot(const Halide::Target &target);

// Writes the files named in `outputs`. Throws ks::Error when a pass found an assumption broken, when a
// pseudo-call survived, or when Halide refuses the schedule. A Kernel is compiled once.
void compile(const Kernel &kernel, const std::string &symbol, const Halide::Target &target,
             const std::map<Halide::OutputFileType, std::string> &outputs);

// Throws ks::Error when one of our pseudo-calls is left in `body`: no pass took it.
void refuse_pseudo_calls(const Halide::Internal::Stmt &body, const std::string &kernel);

// Lowers without writing anything: the Module, for tests that read the IR.
Halide::Module lower_to_module(const Kernel &kernel, const std::string &symbol, const Halide::Target &target);

} // namespace ks
