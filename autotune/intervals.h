// SPDX-License-Identifier: Apache-2.0
// From final rounds to what the dispatch table says: intervals of the dynamic dimensions in which a variant
// may stand in.
#pragma once
#include "autotune/dispatch.h"

namespace ks::tune {

// Whether `middle` lies in the middle half of [low, high], on a linear or on a logarithmic scale.
bool is_middle(int64_t low, int64_t middle, int64_t high);

// Shapes to measure so that [low, high] may become one interval: both ends and powers of two between, as
// values.
std::vector<int64_t> ladder(int64_t low, int64_t high);

// An interval of a dimension is used only when its ends and a middle were measured (the ends alone when
// nothing lies between them), the variant was not slower than the default at any shape measured inside it
// (ratio <= 1), and faster beyond doubt at one at least; a single measured value is an interval of itself. Of
// all ways to cut a dimension the one with the largest total gain is taken; further dimensions are joined
// where the same holds for them. The rules do not overlap.
std::vector<Rule> make_rules(const Task &task, const Result &result, const std::string &date);

// The record that a kernel was tuned, with what came nearest to the default at each shape.
Tuned make_tuned(const Task &task, const Result &result, const std::string &date);

} // namespace ks::tune
