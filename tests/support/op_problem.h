// SPDX-License-Identifier: Apache-2.0
// The problems of autotune/cases by the name of their op, as tests use them.
#pragma once
#include "autotune/cases/problem.h"
#include "schedules/registry.h"

namespace ks::test {

using cases::allowed_error;
using cases::expected;
using cases::Results;
using cases::Values;
using cases::written;
using OpProblem = cases::Problem;

inline OpProblem random_problem(const std::string &op, const std::map<std::string, std::string> &choices,
                                const Dims &dims, bool options = true,
                                const std::vector<int> &seq_start = {}) {
    return cases::random_problem(op_named(op).contract, choices, dims, options, seq_start);
}

} // namespace ks::test
