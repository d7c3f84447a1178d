// SPDX-License-Identifier: Apache-2.0
// Recurrence: a scan as a schedulable primitive.
//
//   h[n] <- decay(n) * h[n] + input(n)          once per step of `time`, for every channel
//   out  <- sum over n of read(n) * h[n]        with the new h
//
// A Recurrence is a description. An execution (in_order.h, step.h) builds the Func that computes `out` from
// it, together with the lowering pass which gives the pseudo-calls their meaning. The state lives in a buffer
// that is updated in place: before the kernel it holds the initial state, afterwards the final one. A
// sequence start is a new buffer (ragged batches: the caller runs each sequence on its own state), so no
// schedule can carry a state across one.
#pragma once
#include "Halide.h"
#include <functional>
#include <string>
#include <vector>

namespace ks {

struct Recurrence {
    using Term = std::function<Halide::Expr(const Halide::Expr &n)>;

    Halide::Var channel, time; // for the step execution `time` counts sequences
    Halide::Expr states;       // states per channel: a constant, or a Param for any number
    Term state;                // a load from the state buffer
    Term decay, input, read;
    // Whether operands of channel and time are such that decay is 1 and input 0 where step_exists() is false.
    bool stands_still = false;
    std::vector<Halide::Var> outer =
        {}; // further dimensions of `out`: the sequence, where a call has several
};

// A load that the time loop makes, and how many elements further on to prefetch.
struct Ahead {
    Halide::Expr load, offset;
};

// The Func out(channel, time), as every execution builds it: states in groups of `group`, unrolled where
// their number is a constant, a loop (and a loop over what is left) where it is not.
class ReadOut {
  public:
    // With `lanes` > 1 these are states of one lane of a channel (dsl/lower/lanes_pass.h), and the Func is
    // the sum over its states alone: the consumer takes lane_sum() of it.
    ReadOut(const Recurrence &recurrence, int group, const std::vector<Ahead> &ahead, const std::string &name,
            int lanes = 1);

    Halide::Func func;

    // Schedules every stage: `lanes` channels a vector, `vectors` of them in flight, time inside the state
    // loops.
    void vectorise(int lanes, int vectors);

    // The same on a GPU: a thread per channel, of `threads` in a block.
    void spread_over_threads(int threads);

    // Throws ks::Error(execution, ...) when a split of `var` in the consumer would run steps twice; its
    // extent is known to be a multiple of `multiple`.
    void check_no_replay(const Halide::Func &consumer, const Halide::Var &var, const std::string &execution,
                         int multiple = 1) const;
    // The same when `var`, or a part of it, is not serial in the consumer.
    void check_serial(const Halide::Func &consumer, const Halide::Var &var,
                      const std::string &execution) const;

  private:
    std::vector<Halide::Var> point() const; // channel, time, outer ones

    Halide::Var channel_, time_;
    std::vector<Halide::Var> outer_;
    std::vector<std::vector<Halide::VarOrRVar>> loops_; // serial state loops of each stage
};

namespace recurrence {

// Pseudo-calls that an execution's pass removes.
//   ks_carry(s, a, x)       s: load of the state; value: the new state a*s + x
//   ks_carry(s, a, x, c)    the same, but the state stays as it is where c does not hold
//   ks_touch(v, l, o, ...)  value: v; prefetches the address of load l plus o elements, and so on
inline const char *const carry_call = "ks_carry";
inline const char *const touch_call = "ks_touch";

// In an operand of channel and time: whether that is a step of the sequence. An execution which walks past
// the end says so.
Halide::Expr step_exists();

} // namespace recurrence
} // namespace ks
