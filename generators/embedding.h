// SPDX-License-Identifier: Apache-2.0
// Embedding: y[t,h] = table[ids[t], h], widened to f32. Ids are clamped to the table, so that none can read
// outside it; the caller reports wrong ones.
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"

namespace ks {

const Contract &embedding_contract();

struct Embedding {
    explicit Embedding(const Spec &spec);

    Operands operands;
    Halide::Var h{"h"}, t{"t"};
    Halide::Func y{"y"};
};

} // namespace ks
