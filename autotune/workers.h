// SPDX-License-Identifier: Apache-2.0
// The two worker programs of the tuner (ksc build-worker, ksc measure-worker), the second of which is also
// that of the measuring kit: JSON lines in, JSON lines out; the requests are documented in stages.h.
#pragma once
#include "autotune/candidate.h"
#include <functional>

namespace ks::tune {

// Answers every line of standard input: with what `answer` returns and "ok": true, or with the error that it
// threw. Returns the exit status at the end of the input.
int serve(const std::function<json(const json &)> &answer);

int build_worker(); // candidate -> shared library

// Shared library -> checked, timed. `contract_of` names an op's contract, for the life of the process.
int measure_worker(const std::function<const Contract &(const std::string &op)> &contract_of);

} // namespace ks::tune
