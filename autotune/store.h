// SPDX-License-Identifier: Apache-2.0
// Everything the tuner has built, checked and measured, in one SQLite file (WAL): a killed run resumes from
// it, and no sample is ever thrown away or merged. One writer at a time; any number of readers beside it.
#pragma once
#include "autotune/database.h"
#include "autotune/stages.h"
#include <optional>

namespace ks::tune {

// Decides which samples may be compared; every field is stored in clear.
struct Environment {
    std::string device; // as the measure worker describes it
    std::string isa;
    std::string compiler; // Versions::compiler
    std::string op;
    int op_version = 0;
};

struct Sample {
    std::string candidate; // identity
    std::string shape;     // dims_text
    std::string role;      // "search" or "final"
    int64_t batch;         // samples of one batch were measured interleaved
    int round;
    double seconds;
    std::string at; // UTC, ISO 8601
};

class Store {
  public:
    enum class Mode { read, write };
    // Opens or (write) creates. Throws ks::Error for a file that is no store, is damaged, was written by a
    // newer version, or has another writer.
    explicit Store(const std::string &path, Mode mode = Mode::write);
    ~Store();
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;

    int64_t environment(const Environment &e);                           // its key; added when new
    std::vector<std::pair<int64_t, Environment>> environments() const;   // all, with their keys
    std::string candidate(const Candidate &c, const Versions &versions); // its identity; added when new

    // A stage of a candidate: "build" (environment 0: it holds for all), "check" or "time", on a subject (who
    // built, the shapes checked, the shape timed). begin() before the work and end() after it; State::running
    // left by a killed run means that it has to be done again, so outcome() returns nothing for it.
    void begin(const std::string &candidate, int64_t environment, const std::string &stage,
               const std::string &subject);
    void end(const std::string &candidate, int64_t environment, const std::string &stage,
             const std::string &subject, const Outcome &outcome);
    std::optional<Outcome> outcome(const std::string &candidate, int64_t environment,
                                   const std::string &stage, const std::string &subject) const;
    bool running(const std::string &candidate, int64_t environment, const std::string &stage,
                 const std::string &subject) const; // begun and not ended
    // Which code a build has made: its hash. Checks, times and samples of other code decide nothing from then
    // on, and come back with their code. Before the end() of the build: a run that is killed in between
    // builds again.
    static constexpr const char *no_code = "none"; // it failed
    void built(const std::string &candidate, const std::string &code);
    // Under which name stages and samples of this code are kept: the candidate's while its code is this, or
    // is not known.
    std::string name_of(const std::string &candidate, const std::string &code);

    int interrupted() const; // stages that a killed run has left running
    int forget(State state); // so that they are tried again; how many

    // All samples of one interleaved measurement, or none: seconds[candidate][round]. Returns the batch.
    int64_t add(const std::vector<std::string> &candidates, int64_t environment, const std::string &shape,
                const std::string &role, const std::vector<std::vector<double>> &seconds);
    // Whether a batch with just these samples is there: results that are brought in twice are added once.
    bool has(const std::vector<std::string> &candidates, int64_t environment, const std::string &shape,
             const std::string &role, const std::vector<std::vector<double>> &seconds) const;
    std::vector<Sample> samples(int64_t environment) const; // in the order in which they were measured
    std::vector<double> search_seconds(const std::string &candidate, int64_t environment,
                                       const std::string &shape) const;
    // The newest batch of role "final" with exactly these candidates, [candidate][round]; nothing when there
    // is none.
    std::optional<std::vector<std::vector<double>>> final_seconds(const std::vector<std::string> &candidates,
                                                                  int64_t environment,
                                                                  const std::string &shape) const;
    // All of this op, version, isa and compiler, in the order in which they were proposed.
    std::vector<Candidate> candidates(const Environment &e) const;

  private:
    void open_schema(Mode mode);
    void lock(const std::string &path);
    std::string code(const std::string &candidate) const; // "": not known
    std::string other(const std::string &candidate, const std::string &code);
    void rename(const std::string &from, const std::string &to);
    int lock_ = -1;
    std::optional<Database> database_;
};

} // namespace ks::tune
