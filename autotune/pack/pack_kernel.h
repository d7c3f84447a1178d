// SPDX-License-Identifier: Apache-2.0
// One kernel of a pack: what to build, and the calls it serves.
#pragma once
#include "dsl/ptx/ptxas.h"
#include "schedules/registry.h"
#include <string>
#include <vector>

namespace ks::pack {

struct Interval {
    int64_t low, high; // both ends included
};

// Of the kernels that can serve a call the first runs: what a dispatch rule put there, then those for usual
// sizes, then the base kernel.
enum class Rank { tuned, usual, base };

struct PackKernel {
    std::string op, isa;
    Spec spec;
    Knobs knobs;
    // By dimension, and "sequences" of ops with a ragged axis; what is not named takes its whole legal
    // domain.
    std::map<std::string, Interval> box;
    std::string device; // the only GPU that it serves; empty: any, and every CPU of its instruction set
    Rank rank = Rank::base;

    std::string identity()
        const; // op, version, spec, isa, knobs (GPU: ptxas): equal identities are the same machine code
    std::string symbol() const; // C name of the kernel, from the identity
    // Of the only architecture that has its instructions, major * 10 + minor of the compute capability; 0:
    // any that its instruction set names.
    int capability() const;
};

// Base and usual kernels with default schedules: every op, every legal combination of choices, every target
// named.
std::vector<PackKernel> default_kernels(const std::vector<std::string> &isas);
// With the default schedule of what the Spec knows.
PackKernel default_kernel(const Op &op, const std::string &isa, const Spec &spec);

// The ptxas of this machine, looked for once. Throws ks::Error when there is none.
const ptx::Ptxas &assembler();

uint64_t hash_of(const std::string &text); // FNV-1a

} // namespace ks::pack
