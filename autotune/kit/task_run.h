// SPDX-License-Identifier: Apache-2.0
// One task of a kit on this machine: its candidates checked, then timed, each step recorded before the next.
#pragma once
#include "autotune/kit/measure_kit.h"
#include "runtime/base/error.h"

namespace ks::tune {

// What calls at a shape need is more than this machine has; no candidate is to blame.
struct Unprepared : Error {
    using Error::Error;
};

class TaskRun {
  public:
    // `known`: what `file` says already; kept up to date.
    TaskRun(const Manifest &manifest, size_t number, const MeasureOptions &options, Results &known,
            ResultsFile &file, std::ostream &log);

    // Throws Unprepared, and ks::Error when the results cannot be written.
    void run();
    size_t lost() const;       // candidates that failed somewhere
    bool default_lost() const; // then nothing of the task can be compared

  private:
    struct Round {
        std::string shape, role;
        Caches caches;
        int number;
    };
    const std::string &id(size_t i) const { return task_.candidates[i].id; }
    json candidate(size_t i) const;
    std::string artefact(size_t i) const;
    void record(size_t i, const char *stage, const std::string &shape, const Outcome &outcome,
                double max_error = 0);
    void prepare(json request);
    bool checked(size_t i);
    Outcome begin(size_t i);
    void check(size_t i, const Dims &shape, double used);
    void round(const Round &r, const Dims &shape);
    void final_rounds(const Dims &shape);
    bool sample(size_t i, json request, RoundRecord &into);
    double seconds(size_t i, const Dims &shape) const;
    std::vector<size_t> finalists() const;
    bool failed(size_t i, const char *stage) const;

    const Manifest &manifest_;
    const KitTask &task_;
    size_t number_;
    const MeasureOptions &options_;
    Results &known_;
    ResultsFile &file_;
    std::ostream &log_;
    Worker worker_;             // has the problems of the task
    std::vector<size_t> alive_; // in the rounds that are made; ascending, the default first
};

} // namespace ks::tune
