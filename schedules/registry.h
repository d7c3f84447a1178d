// SPDX-License-Identifier: Apache-2.0
// Every op by name: its contract, its schedule space and how a kernel is built from a point of it.
#pragma once
#include "dsl/contract.h"
#include "dsl/kernel.h"
#include "schedules/usual.h"

namespace ks {

// An op's schedules for one family of targets.
struct Schedule {
    Space (*space)(const Spec &, const Halide::Target &) = nullptr;
    Kernel (*build)(const Spec &, const Knobs &, const Halide::Target &) = nullptr;
    // Whether a pack carries a base kernel for these choices on this target (null: for all).
    bool (*in_base_pack)(const Spec &, const Halide::Target &) = nullptr;
    // Of the choices of a base kernel; the first that can serve a call runs. The last of those of a Spec
    // serves all calls that the Spec does, on every device, with the default schedule of its space.
    std::vector<UsualKernel> (*usual)(const Spec &base, const Halide::Target &) = nullptr;
};

struct Op {
    const Contract &contract;
    Schedule x86, cuda = {};

    bool has_schedule(const Halide::Target &target) const { return schedule(target).build; }
    // Both throw ks::Error when the op has no schedule for the target's family.
    Space space(const Spec &spec, const Halide::Target &target) const;
    Kernel build(const Spec &spec, const Knobs &knobs, const Halide::Target &target) const;

    const Schedule &schedule(const Halide::Target &target) const;
};

const std::vector<Op> &all_ops();
const Op &op_named(const std::string &name); // throws ks::Error for an unknown name

// Whether a kernel multiplies pairs of bf16, for which the target must have a dot product.
bool multiplies_pairs(const Contract &contract, const Spec &spec);
// The instruction set to build a kernel for when the best of the CPU is `isa`.
std::string kernel_isa(const Contract &contract, const Spec &spec, const std::string &isa);

// One Spec without fixed widths for every legal combination of choices that belongs in a pack for `target`. A
// target with a dot product adds the kernels that use it; the others are those of the target without.
std::vector<Spec> base_specs(const Op &op, const Halide::Target &target);
std::vector<UsualKernel> usual_kernels(const Op &op, const Spec &base, const Halide::Target &target);
// The kernel of a pack that nobody has tuned that serves calls with the widths of `wanted`.
Spec default_spec(const Op &op, const Spec &wanted, const Halide::Target &target);

} // namespace ks
