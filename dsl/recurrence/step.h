// SPDX-License-Identifier: Apache-2.0
// Execution "step": one time step of many sequences, states in memory and updated in place (decode). The
// Recurrence's `time` counts sequences, each with its own state, so steps may run in any order, in parallel
// too.
//
// What it requires of a schedule: every (channel, sequence) is computed exactly once, so splits of either end
// in GuardWithIf, or by a divisor of their number (checked).
#pragma once
#include "dsl/lower/step_pass.h"
#include "dsl/recurrence/recurrence.h"
#include <memory>

namespace ks {

struct Step {
    Step(const Recurrence &r, int group, const std::vector<Ahead> &ahead, const std::string &name,
         StepOrder order = StepOrder::state_by_state, int lanes = 1)
        : out(r, group, ahead, name, lanes),
          pass(std::make_shared<StepPass>(out.func.name(), order)),
          recurrence(r) {}

    ReadOut out;
    std::shared_ptr<StepPass> pass;
    Recurrence recurrence;

    // `channels`: the number of them is known to be a multiple of it.
    void check(const Halide::Func &consumer, int channels = 1) const {
        out.check_no_replay(consumer, recurrence.time, "step");
        out.check_no_replay(consumer, recurrence.channel, "step", channels);
    }
};

} // namespace ks
