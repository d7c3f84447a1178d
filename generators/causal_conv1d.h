// SPDX-License-Identifier: Apache-2.0
// Depthwise causal convolution over time, W taps; tap W-1 multiplies the current step:
//
//   y[t,d] = act(bias[d] + sum_w weight[w,d] x[t - (W-1) + w, d])        act: silu or nothing
//
// Inputs before the call come from the state, the last W-1 inputs, which is replaced afterwards.
#pragma once
#include "dsl/kernel.h"
#include "dsl/maths.h"
#include "dsl/operands.h"
#include "generators/flags.h"

namespace ks {

const Contract &causal_conv1d_contract();        // one sequence, T steps (prefill)
const Contract &causal_conv1d_update_contract(); // one step of S sequences (decode)

struct CausalConv1d {
    CausalConv1d(const Contract &contract, const Spec &spec, const Maths &maths, Batch batch = Batch::one);

    Operands operands;
    Halide::Var d{"d"}, at{"t"}; // `at` counts time steps, or sequences (update)
    // Replaces the state by assign(): in a stage of its own after every step; when calls are packed, in the
    // one stage at the last step that reads the state, so one thread must walk the first W steps of a channel
    // in order.
    Halide::Func y{"y"};
};

} // namespace ks
