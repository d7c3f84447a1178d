// SPDX-License-Identifier: Apache-2.0
// Checks candidates that were built as artefacts against the oracle, and times them.
#pragma once
#include "autotune/problems.h"
#include "autotune/rotation.h"
#include <vector>

namespace ks::tune {

// What a candidate computes, and where it runs; the contract must outlive the problems made for it.
struct Subject {
    const Contract &contract;
    Spec spec;
    std::string isa;
};

// Make what takes longer than a candidate ahead of it: the problem and the oracle's answer, or the operands
// of timed calls. Checks and timings at this shape then only have to look them up.
void prepare(const Subject &subject, Problems &problems, const Dims &shape);
// The same where the oracle would take minutes: the answer is what `reference` gives, a kernel that was found
// right at smaller shapes. Then twice the error is allowed.
void prepare(const Subject &subject, Problems &problems, const Dims &shape, const Artefact &reference);
void prepare_timing(const Subject &subject, Problems &problems, const Dims &shape, Caches caches);

// Largest error over what the contract allows (at most 1 when right), of the whole call and of the parts in
// which two threads would make it. Throws ks::Error naming shape, operand and error when a result is off, a
// guard or an input was hurt, or a second run differs.
double check(const Artefact &artefact, const Subject &subject, Problems &problems, const Dims &shape);

// Seconds of one call: [artefact][round], artefacts taking turns inside every round.
std::vector<std::vector<double>> time(const std::vector<std::unique_ptr<Artefact>> &artefacts,
                                      const Subject &subject, Problems &problems, const Dims &shape,
                                      Caches caches, int rounds);

} // namespace ks::tune
