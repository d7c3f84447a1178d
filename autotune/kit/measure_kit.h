// SPDX-License-Identifier: Apache-2.0
// Measures a kit on this machine: every candidate is checked, timed in rounds that all take part in, and the
// best meet the default again in final rounds. What a candidate does to its process costs that candidate
// alone.
#pragma once
#include "autotune/kit/manifest.h"
#include "autotune/kit/results.h"
#include <ostream>

namespace ks::tune {

struct MeasureOptions {
    std::string kit;                 // its folder
    std::string out;                 // of the results; empty: results.jsonl in the kit
    double limit = 20;               // seconds of a candidate's checks together, and of each of its samples
    std::vector<std::string> worker; // the program that runs candidates: kit_worker() behind a command line
};

struct MeasureSummary {
    size_t candidates = 0, lost = 0; // that this machine could measure, and those of them that failed
    size_t tasks = 0, skipped = 0;   // skipped: no device for them here, or their default failed
};

std::string summary_text(const MeasureSummary &summary); // one line

// Goes on where an earlier run stopped. Throws ks::Error for a kit or results that cannot be read, results of
// another kit or device, or when they cannot be written. Tells `log` how it goes, in lines.
MeasureSummary measure_kit(const MeasureOptions &options, std::ostream &log);

int kit_worker(const std::string &kit); // answers for one kit on standard input and output; see workers.h

} // namespace ks::tune
