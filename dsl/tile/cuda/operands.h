// SPDX-License-Identifier: Apache-2.0
// Which of a kernel's parameters are the operands of its tile operation, read off the text that Halide wrote:
// the kernel no longer loads A and W or stores its output, but calls ks_tile_operand with an element of each.
#pragma once
#include "dsl/ptx/text.h"
#include "dsl/tile/cuda/calls.h"
#include <map>
#include <string>

namespace ks::tile {

// The place of each among the parameters, from 0. Throws ks::Error when the text is not that of a kernel
// which TensorizePass made.
std::map<calls::Operand, int> operands(const std::string &halide_ptx);

// The parameter that `value` was loaded from, through its address. It follows the registers back; throws
// ks::Error when that does not end at a parameter.
int parameter_behind(const std::string &ptx, const std::string &value);

// A constant argument of a pseudo-call. Throws ks::Error when the compiler made it a variable.
int number(const ptx::PseudoCall &call, size_t argument);

} // namespace ks::tile
