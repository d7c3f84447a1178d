// SPDX-License-Identifier: Apache-2.0
// Loads candidates that were built as shared libraries, checks them against the oracle and times them.
#pragma once
#include "autotune/candidate.h"
#include "autotune/problems.h"

namespace ks::tune {

class Artefact {
  public:
    Artefact(Candidate candidate, const std::string &path); // throws ks::Error when it cannot be loaded
    ~Artefact();
    Artefact(const Artefact &) = delete;
    Artefact &operator=(const Artefact &) = delete;

    const Candidate &candidate() const { return candidate_; }
    void run(void **arguments) const { call_(arguments); }

  private:
    Candidate candidate_;
    void *library_;
    int (*call_)(void **);
};

// Largest error over the contract's tolerance (at most 1 when right). Throws ks::Error naming shape, operand
// and error when a result is off, a guard or an input was hurt, or a second run differs.
double check(const Artefact &artefact, Problems &problems, const Dims &shape);

// Seconds of one call: [artefact][round], artefacts taking turns inside every round.
std::vector<std::vector<double>> time(const std::vector<std::unique_ptr<Artefact>> &artefacts,
                                      Problems &problems, const Dims &shape, int rounds);

} // namespace ks::tune
