// SPDX-License-Identifier: Apache-2.0
// What a tuning run tells its user while it works: one line that is redrawn on a terminal, plain lines
// elsewhere.
#pragma once
#include <chrono>
#include <memory>
#include <ostream>
#include <string>

namespace ks::tune {

struct Status {
    size_t done = 0, total = 0; // candidates
    size_t failed = 0;          // of those done
    double best = 1;            // speed of the best so far relative to the default: 1.25 is a quarter faster
    std::string best_knobs;
    double seconds_left = 0; // of the budget
    size_t building = 0;     // candidates, at this moment
};

class Progress {
  public:
    virtual ~Progress() = default;
    virtual void show(const Status &) {}
    virtual void note(const std::string &) {} // a line to keep, e.g. why a candidate was rejected
    virtual void finish() {}                  // the last status stays on screen
};

// "12/432 candidates, 2 failed, building 4, best 1.31x (group=8), 4:05 left"
std::string status_line(const Status &status);

// `terminal`: redraws one line of at most `columns`. Otherwise a line for each better candidate, and one at
// least every `interval` seconds. The stream must outlive the result.
std::unique_ptr<Progress> make_progress(std::ostream &out, bool terminal, int columns = 80,
                                        double interval = 30);

} // namespace ks::tune
