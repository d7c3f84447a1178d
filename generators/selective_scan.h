// SPDX-License-Identifier: Apache-2.0
// Selective scan, Mamba (arXiv 2312.00752) eq. 2a/2b with input-dependent delta, B, C:
//
//   delta = softplus(dt + dt_bias)
//   h[n]  = exp(delta A[n]) h[n] + delta B[n] u        (Euler form of the input, as the released kernels
//   compute) y     = (sum_n C[n] h[n] + D u) silu(z)
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"
#include "dsl/recurrence/recurrence.h"
#include "generators/flags.h"

namespace ks {

const Contract &selective_scan_contract();         // one sequence, T steps (prefill)
const Contract &selective_state_update_contract(); // one step of S sequences (decode)

// The algorithm up to the recurrence; `at` counts time steps (scan) or sequences (update).
struct SelectiveScan {
    // With `stands_still` delta is 0 where recurrence::step_exists() is false, for an execution that says
    // which.
    SelectiveScan(const Contract &contract, const Spec &spec, const Maths &maths, Batch batch = Batch::one,
                  bool stands_still = false);

    Operands operands;
    Halide::Var d{"d"}, n{"n"}, at{"t"};
    Halide::Func step{"step"};       // (d, at) -> {delta, delta * u}: staged ahead of the recurrence
    Halide::Func weights{"weights"}; // (n, at) -> {B, C}
    Recurrence recurrence;

    // y at (d, at) in f32, from the read-out of an execution of `recurrence`.
    Halide::Expr gated(const Halide::Func &read) const;
    // The same as it is stored.
    Halide::Func output(const Halide::Func &read) const;

  private:
    Maths maths_;
};

} // namespace ks
