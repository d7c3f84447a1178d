// SPDX-License-Identifier: Apache-2.0
// Add: y = a + b, for layers that run side by side on one residual.
#pragma once
#include "dsl/kernel.h"
#include "dsl/operands.h"

namespace ks {

const Contract &add_contract();

struct Add {
    explicit Add(const Spec &spec);

    Operands operands;
    Halide::Var h{"h"}, t{"t"};
    Halide::Func y{"y"};
};

} // namespace ks
