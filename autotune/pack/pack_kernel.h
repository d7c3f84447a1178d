// SPDX-License-Identifier: Apache-2.0
// One kernel of a pack: what to build, and the box of calls it serves.
#pragma once
#include "dsl/ptx/ptxas.h"
#include "schedules/registry.h"
#include <string>
#include <vector>

namespace ks::pack {

struct Interval {
    int64_t low, high; // both ends included
};

struct PackKernel {
    std::string op, isa;
    Spec spec;
    Knobs knobs;
    // By dimension, and "sequences" of ops with a ragged axis; what is not named takes its whole legal
    // domain.
    std::map<std::string, Interval> box;
    std::string device; // the only GPU that it serves; empty: any, and every CPU of its instruction set
    bool tuned = false; // put there by a dispatch rule; else a base kernel

    std::string identity()
        const; // op, version, spec, isa, knobs (GPU: ptxas): equal identities are the same machine code
    std::string symbol() const; // C name of the kernel, from the identity
};

// Base kernels with default schedules: every op, every legal combination of choices, every target named.
std::vector<PackKernel> base_kernels(const std::vector<std::string> &isas);

// The ptxas of this machine, looked for once. Throws ks::Error when there is none.
const ptx::Ptxas &assembler();

uint64_t hash_of(const std::string &text); // FNV-1a

} // namespace ks::pack
