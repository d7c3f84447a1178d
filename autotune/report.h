// SPDX-License-Identifier: Apache-2.0
// The table at the end of a tuning run: default against tuned against what the machine could do.
#pragma once
#include <optional>
#include "autotune/ceiling.h"
#include "autotune/dispatch.h"

namespace ks::tune {

class Report {
  public:
    explicit Report(const std::string &isa);
    void add(const Task &task, const Result &result, const std::vector<Rule> &rules);
    void print() const; // to standard output

  private:
    struct Row {
        std::string op, shape, variant;
        double fallback, tuned, ratio, of_ceiling; // seconds, seconds, speed-up, share of the ceiling
    };
    std::optional<Ceiling> ceiling_; // none is measured on a GPU
    std::vector<Row> rows_;
};

} // namespace ks::tune
