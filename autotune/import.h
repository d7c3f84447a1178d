// SPDX-License-Identifier: Apache-2.0
// Brings the results of a measuring kit into the store.
#pragma once
#include "autotune/kit/manifest.h"
#include "autotune/kit/results.h"
#include "autotune/store.h"
#include <set>

namespace ks::tune {

struct ImportSummary {
    std::set<std::string> devices;
    size_t candidates = 0, lost = 0; // with an outcome of their checks, and those of them that failed
    size_t batches = 0, known = 0;   // added, and found in the store already
    size_t other_code = 0;           // candidates and twins of other machine code than was built here last
    size_t slow_rounds = 0;          // left out, since the clock was far below that of the others
};

// Throws ks::Error (and adds nothing) for results of another kit, with candidates, tasks or shapes that the
// kit does not have, or of several devices for one instruction set. What was measured twice, or is brought in
// again, is kept once; rounds with a clock below three quarters of their kind's median are left out. Twins
// get the outcomes and search samples of the candidate that stood for them. Those of other machine code than
// has been built here last are kept, but decide nothing.
ImportSummary import_results(const Results &results, const std::string &source, const Manifest &kit,
                             Store &store);

// Medians and spreads of the final rounds, of the default and the fastest other at every shape, in lines:
// "linear ... M=1: 1.20 us ±1.0 % warm, 3.40 us ±2.0 % cold, by cold: default".
std::string figures(const Results &results, const Manifest &kit);

} // namespace ks::tune
