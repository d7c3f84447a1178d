// SPDX-License-Identifier: Apache-2.0
// The problems that candidates are checked and timed on, and their answers: making one takes far longer than
// running a kernel on it, so they are kept from candidate to candidate.
#pragma once
#include "autotune/cases/problem.h"

namespace ks::tune {

class Problems {
  public:
    // The problem of one kernel at one shape, reset; valid until the next call. Those of another kernel, or
    // more than fit into `keep_bytes`, are made anew each time.
    Problem &get(const Contract &contract, const Spec &spec, const Dims &shape, int copies = 1);
    // The oracle's answer to the problem that get() last gave for this shape; valid until get() is called
    // with another kernel.
    const std::map<std::string, Values> &answer(const Problem &problem, const Dims &shape);

  private:
    static constexpr size_t keep_bytes = size_t{512} << 20;

    std::string kernel_; // whose they are
    std::map<std::pair<Dims, int>, std::unique_ptr<Problem>> kept_;
    size_t bytes_ = 0; // of those kept
    std::unique_ptr<Problem> passing_;
    std::map<Dims, std::map<std::string, Values>> answers_;
};

} // namespace ks::tune
