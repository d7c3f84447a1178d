// SPDX-License-Identifier: Apache-2.0
// Execution "in order": channels in vector lanes, serial over time. A group of states stays in registers
// while the time loop runs over one tile; then the next group takes the same tile. With a constant number of
// states the groups are unrolled; with any other number they are a loop, whose states come from and go to
// cache once per tile.
//
// What it requires of a schedule, checked by check() and by the carry pass:
//   - time is serial: neither parallel nor vectorised, in the read-out and in what consumes it;
//   - no step runs twice: splits of time and channel end in GuardWithIf (ShiftInwards would replay steps on
//   an
//     already updated state);
//   - the read-out is computed in its own loop over time (not inlined into its consumer).
#pragma once
#include "dsl/lower/carry_pass.h"
#include "dsl/recurrence/recurrence.h"
#include <memory>

namespace ks {

struct InOrder {
    // `group`: states per time loop. `ahead`: prefetches spread over the first time loop of a tile.
    InOrder(const Recurrence &r, int group, const std::vector<Ahead> &ahead, const std::string &name)
        : out(r, group, ahead, name),
          pass(std::make_shared<CarryPass>(out.func.name(), r.time.name())),
          recurrence(r) {}

    ReadOut out;
    std::shared_ptr<CarryPass> pass;
    Recurrence recurrence;

    // Throws ks::Error naming the assumption that the consumer's schedule breaks.
    void check(const Halide::Func &consumer) const {
        out.check_no_replay(consumer, recurrence.time, "in order");
        out.check_no_replay(consumer, recurrence.channel, "in order");
        out.check_serial(consumer, recurrence.time, "in order");
    }
};

} // namespace ks
