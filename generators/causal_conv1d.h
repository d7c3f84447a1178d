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
    // Packed: the inputs of a channel around step `at`, out of the state where that lies before the call. The
    // schedule computes it for the first steps of a channel, all that lies in the state, before any y of
    // them.
    Halide::Func window{"window"};
    // Replaces the state by assign(): in a stage of its own after every step; when calls are packed, in the
    // one stage at the first step, whose window has been read by then.
    Halide::Func y{"y"};
};

} // namespace ks
