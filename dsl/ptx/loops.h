// SPDX-License-Identifier: Apache-2.0
// The flow of control in the text of a kernel.
#pragma once
#include <string>

namespace ks::ptx {

// Whether control can come back to where it was. A branch to what stands before it is no loop for that: LLVM
// puts rare code behind the end, which goes back to where all goes on.
bool has_loop(const std::string &body);

} // namespace ks::ptx
