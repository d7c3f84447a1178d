// SPDX-License-Identifier: Apache-2.0
// ks op: one linked kernel on arrays from a file.
#pragma once
#include "kingsnake/kingsnake.h"
#include "runtime/cli/op_arrays.h"

namespace ks::cli {

// What an op lets its caller choose, by name; every choice of its entry has a value.
using Choices = std::map<std::string, std::string>;

struct OpEntry {
    const char *name;
    std::vector<Result> (*run)(const ks_library &, const Inputs &, const Choices &);
    const char *arrays; // what it reads and writes, for --help
    // Legal values by name of the flag.
    std::map<std::string, std::vector<std::string>> choices;
};

// Default of any choice: its first value.
const std::vector<OpEntry> &op_entries();

// Runs one op of the pack on arrays in host memory, on the library's CPU or GPU; `args` is the op's struct.
// Throws ks::Error(in.path(), ...).
void run_kernel(const ks_library &library, const Inputs &in, const char *op, const void *args);

std::vector<Result> run_selective_scan(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_selective_state_update(const ks_library &library, const Inputs &in,
                                               const Choices &choices);
std::vector<Result> run_causal_conv1d(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_causal_conv1d_update(const ks_library &library, const Inputs &in,
                                             const Choices &choices);
std::vector<Result> run_sinkhorn(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_linear(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_embedding(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_add(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_rms_norm(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_layer_norm(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_router(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_expert_tiles(const ks_library &library, const Inputs &in, const Choices &choices);
std::vector<Result> run_expert_mlp(const ks_library &library, const Inputs &in, const Choices &choices);

} // namespace ks::cli
