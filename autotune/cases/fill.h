// SPDX-License-Identifier: Apache-2.0
// What the tuner's random problems look like, op by op.
#pragma once
#include "autotune/cases/problem.h"

namespace ks::tune {

// Dimensions that follow from others when the shape leaves them out: the rows of y that an expert writes to.
void complete_dims(const std::string &op, Dims &dims);

// Values of one operand in the range that models have (never all zero: zeros hide unwritten results).
Values fill_operand(const std::string &op, const std::string &operand, const Dims &dims, size_t count,
                    int seed);

int32_t fixed_flags(const std::string &op); // bits that do not say which operands are there

} // namespace ks::tune
