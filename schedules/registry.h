// SPDX-License-Identifier: Apache-2.0
// Every op by name: its contract, its schedule space and how a kernel is built from a point of it.
#pragma once
#include "dsl/contract.h"
#include "dsl/kernel.h"
#include "schedules/space.h"

namespace ks {

struct Op {
    const Contract &contract;
    Space (*space)(const Spec &, const Halide::Target &);
    Kernel (*build)(const Spec &, const Knobs &, const Halide::Target &);
    // Whether a pack carries a base kernel for these choices on this target (null: for all).
    bool (*in_base_pack)(const Spec &, const Halide::Target &) = nullptr;
};

const std::vector<Op> &all_ops();
const Op &op_named(const std::string &name); // throws ks::Error for an unknown name

// One Spec without fixed widths for every legal combination of choices that belongs in a pack for `target`.
std::vector<Spec> base_specs(const Op &op, const Halide::Target &target);

} // namespace ks
