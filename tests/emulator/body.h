// SPDX-License-Identifier: Apache-2.0
// The text of one kernel's body, statement by statement.
#pragma once
#include "tests/emulator/program.h"

namespace ks::emulator {

using Names = std::map<std::string, int>;

std::string trimmed(const std::string &s);
// Parts between commas that are in no bracket.
std::vector<std::string> split(const std::string &s);

// The name among symbols of shared memory that a launch brings.
constexpr const char *dynamic_shared = "shared memory of the launch";

// From behind the opening brace, which is on that line. `symbols`: parameters and shared memory, by offset.
void read_body(Kernel &kernel, const Names &symbols, const std::string &text, size_t at, int line);

} // namespace ks::emulator
