// SPDX-License-Identifier: Apache-2.0
// Every op as a Halide generator, so that GenGen, RunGen and add_halide_library work on it for CPU targets.
// The lowering passes of a kernel come along, and what they verify is verified.
//
// GeneratorParams, all optional:
//   choices   by name (io=bf16)     default: the first base kernel of a pack that agrees with the choices
//   given widths    by name (N=16)        fixes the width; default, also 0: any knobs     by name (group=8)
//   default: the schedule's
// Inputs, outputs and their order are those of the contract.
#pragma once
#include "schedules/registry.h"

namespace ks {

// Throws ks::Error for a target that has a GPU: its kernels are made by ksc.
Halide::Internal::AbstractGeneratorPtr halide_generator(const Op &op,
                                                        const Halide::GeneratorContext &context);

// All ops, for Halide::Internal::generate_filter_main(). Touches no global registry.
class HalideGenerators : public Halide::Internal::GeneratorFactoryProvider {
  public:
    std::vector<std::string> enumerate() const override;
    // Null for a name that is no op, as Halide wants it.
    Halide::Internal::AbstractGeneratorPtr create(const std::string &name,
                                                  const Halide::GeneratorContext &context) const override;
};

} // namespace ks
