// SPDX-License-Identifier: Apache-2.0
// Which point of a schedule space to try next. A strategy is a function of the space, its seed and the
// history: a resumed run, given the recorded history, goes on exactly as the killed one would have.
#pragma once
#include "schedules/space.h"
#include <memory>
#include <optional>
#include <vector>

namespace ks::tune {

struct Trial {
    Knobs knobs;
    std::optional<double> seconds; // none: it did not build, was wrong, hung or crashed
};

class Strategy {
  public:
    virtual ~Strategy() = default;
    // A legal point that is neither in the history nor `pending` (proposed, no result yet); nothing when the
    // space is used up.
    virtual std::optional<Knobs> next(const std::vector<Trial> &history,
                                      const std::vector<Knobs> &pending) = 0;
    std::optional<Knobs> next(const std::vector<Trial> &history) { return next(history, {}); }
};

// All enumerate the space once (Space::all), so it must be countable: up to about a million points.

std::unique_ptr<Strategy> exhaustive(const Space &space); // the default first, then in knob order
std::unique_ptr<Strategy> random_order(const Space &space, uint64_t seed); // the default first, then shuffled
// `start` (default: the space's default), a random sample, then neighbours of good points and points that a
// model of the trials so far finds promising, with a random point now and then.
std::unique_ptr<Strategy> neighbourhood(const Space &space, uint64_t seed, std::optional<Knobs> start = {});

} // namespace ks::tune
