// SPDX-License-Identifier: Apache-2.0
// Usual kernels: beside the base kernel of its choices, which serves any size, a pack carries kernels for
// sizes that models have.
#pragma once
#include "dsl/contract.h"
#include "schedules/space.h"

namespace ks {

struct UsualKernel {
    Spec spec;
    Knobs knobs;    // a point of its space
    Dims most = {}; // of dimensions that are not fixed: the highest that it serves; others: any
};

} // namespace ks
