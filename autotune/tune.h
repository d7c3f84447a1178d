// SPDX-License-Identifier: Apache-2.0
// The tuning loop of one kernel on one device: search, check, time, final rounds; resumable at any moment.
#pragma once
#include "autotune/measure.h"
#include "autotune/progress.h"
#include "autotune/search.h"
#include "autotune/store.h"

namespace ks::tune {

struct Task {
    std::string op;
    Spec spec;
    std::string isa;
    Space space;
    Versions versions;
    std::string device;             // part of the environment of every sample
    std::vector<Dims> shapes;       // timed: the ends and middles of the intervals that dispatch may use
    std::vector<Knobs> suggested;   // tried right after the default
    std::vector<Dims> check_shapes; // edges of the op's domain; the timed shapes are checked too
};

struct Options {
    double seconds = 600;         // of this run; up to a fifth of it is kept for the final rounds
    size_t candidates = SIZE_MAX; // at most so many, those of earlier runs included
    uint64_t seed = 1;
    int search_rounds = 3, final_rounds = 20;
    size_t finalists = 5;      // beside the default
    size_t jobs = 1;           // processes that build at the same time
    double build_seconds = 60; // a build that takes longer fails
    std::string artefacts;     // an existing folder for what the builder writes; one file per candidate, kept
                               // while the builder is the same
};

struct Finalist {
    Candidate candidate;
    double seconds = 0; // median of the final rounds
    Ratio ratio;        // of its time to the default's: below 1 is faster
    bool tied = false;  // with the fastest
};

struct ShapeResult {
    Dims shape;
    std::vector<Finalist> finalists; // the default first
    size_t chosen = 0;               // the fastest, or the simplest of those that tie with it
};

struct Result {
    std::vector<ShapeResult> shapes; // as in the task; every finalist at every shape, unless it failed there
    size_t tried = 0, failed = 0, resumed = 0; // candidates; resumed: known from earlier runs
    bool complete = false;                     // the whole space was tried
};

// What final rounds at one shape say: seconds[finalist][round], the default first.
ShapeResult judge(const Task &task, const Dims &shape, const std::vector<Knobs> &finalists,
                  const std::vector<std::vector<double>> &seconds);

// Throws ks::Error when the default schedule itself does not pass, since nothing can be compared then, and
// when the store fails. One thread; `store` must be open for writing.
Result tune(const Task &task, const Options &options, Builder &builder, Meter &meter, Store &store,
            Progress &progress);

} // namespace ks::tune
