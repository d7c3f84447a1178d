// SPDX-License-Identifier: Apache-2.0
// What the tuner does with a candidate: build, check, time; as interfaces, and as worker processes behind
// them. Request and answer of each command are documented at the class that sends it.
#pragma once
#include "autotune/candidate.h"
#include "autotune/worker.h"

namespace ks::tune {

// How a stage ended. All but ok put the candidate out of the race; the store keeps which.
enum class State { running, ok, failed, wrong, timeout, crash, garbage };
const char *state_name(State state);
State state_named(const std::string &name); // throws ks::Error

struct Outcome {
    State state = State::ok;
    std::string message; // one line when not ok
    double seconds = 0;  // that the stage took
};

// What a worker's reply says about a stage; `refused` is the state of an answer {"ok":false}.
Outcome outcome_of(const Reply &reply, State refused);

struct Timing {
    Outcome outcome;
    std::vector<std::vector<double>> seconds; // [candidate][round] when ok
};

struct Built {
    Candidate candidate;
    std::string artefact; // path of the object or shared library
};

class Builder {
  public:
    virtual ~Builder() = default;
    // Writes the artefact to `path`; on anything but ok the file may be missing or broken. State::timeout
    // after `seconds`. Any thread, several at a time.
    virtual Outcome build(const Candidate &candidate, const std::string &path, double seconds) = 0;
    // Who builds: what one builder made, or failed to make, says nothing of another one. No dot, no slash.
    virtual std::string fingerprint() const = 0;
};

class Meter {
  public:
    virtual ~Meter() = default;
    // Against the oracle; State::wrong when a result, a canary or a repeat is off.
    virtual Outcome check(const Built &built, const Dims &shape) = 0;
    // `rounds` samples of each, the candidates interleaved within a round (see measure.h: round_order).
    virtual Timing time(const std::vector<Built> &built, const Dims &shape, int rounds) = 0;
};

// {"cmd":"build","candidate":{...},"out":"path"} -> {"ok":true} or {"ok":false,"error":"..."}
// A fresh process for each candidate: Halide numbers names per process, so only a first build is
// reproducible.
class WorkerBuilder : public Builder {
  public:
    WorkerBuilder(std::vector<std::string> argv, std::string fingerprint)
        : argv_(std::move(argv)), fingerprint_(std::move(fingerprint)) {}
    Outcome build(const Candidate &candidate, const std::string &path, double seconds) override;
    std::string fingerprint() const override { return fingerprint_; }

  private:
    std::vector<std::string> argv_;
    std::string fingerprint_;
};

// {"cmd":"check","candidate":{...},"artefact":"path","shape":{"T":257}}
//     -> {"ok":true,"max_error":x} or {"ok":false,"error":"wrong at T=257: 0.3 > 2e-6"}
// {"cmd":"time","shape":{...},"rounds":n,"candidates":[{"candidate":{...},"artefact":"path"},...]}
//     -> {"ok":true,"seconds":[[...],...],"ghz":x} or {"ok":false,"error":"..."}; all of one kernel. With
//     "caches":"warm" or "cold" under that condition, else under the one that decides (rotation.h)
// {"cmd":"prepare","candidate":{...},"shape":{...}} -> {"ok":true}: the oracle's answer, ahead of the checks;
//     with "reference":"path" what that artefact gives instead; with "caches" the operands of timed calls,
//     ahead of those
// One process for many requests; a fresh one after each failure, since a wild write may have hurt the old
// one.
class WorkerMeter : public Meter {
  public:
    WorkerMeter(std::vector<std::string> argv, double check_deadline, double time_deadline)
        : worker_(std::move(argv)), check_deadline_(check_deadline), time_deadline_(time_deadline) {}
    Outcome check(const Built &built, const Dims &shape) override;
    Timing time(const std::vector<Built> &built, const Dims &shape, int rounds) override;

  private:
    Worker worker_;
    double check_deadline_, time_deadline_; // seconds; of one request, whatever its number of rounds
};

} // namespace ks::tune
