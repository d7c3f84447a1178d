// SPDX-License-Identifier: Apache-2.0
// The problems of one kernel, kept between requests: filling them and the oracle take longer than a
// candidate.
#pragma once
#include "autotune/cases/call.h"
#include <map>
#include <memory>

namespace ks::tune {

using cases::Values;

class Problems {
  public:
    // As the last user left it. Valid until the next call. Problems of another kernel are dropped, and one
    // that would make more of them than an eighth of the memory is made anew each time; of those that take
    // turns with all of their operands, to be cold, the last one is kept. Throws ks::Error.
    cases::Call &get(const Contract &contract, const Spec &spec, const std::string &isa, const Dims &shape,
                     cases::Copies copies = {});
    // What results of the same kernel are compared with.
    struct Answer {
        cases::Results values;
        double slack; // 1: the oracle's; 2: another kernel's, whose own error comes on top
    };
    const Answer &answer(const cases::Call &call, const Dims &shape);
    // Takes what another kernel gave instead of the oracle's answer, unless there is one.
    void adopt(const Dims &shape, cases::Results values);
    bool has_answer(const Dims &shape) const { return answers_.count(shape) > 0; }

  private:
    std::string kernel_;
    std::map<std::pair<Dims, cases::Copies>, std::unique_ptr<cases::Call>> kept_;
    std::unique_ptr<cases::Call> passing_; // the last one that was too large to keep
    std::pair<Dims, cases::Copies> passing_key_;
    std::unique_ptr<cases::Call> cold_;
    Dims cold_shape_;
    size_t bytes_ = 0;
    std::map<Dims, Answer> answers_;
};

} // namespace ks::tune
