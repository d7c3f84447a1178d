// SPDX-License-Identifier: Apache-2.0
// Keeps the IR of a kernel as the passes before it made it.
#pragma once
#include "dsl/lowering_pass.h"

namespace ks::test {

struct KeepPass : LoweringPass {
    Halide::Internal::Stmt kept;
    using IRMutator::mutate;
    Halide::Internal::Stmt mutate(const Halide::Internal::Stmt &s) override { return kept = s; }
    void verify() const override {}
};

} // namespace ks::test
