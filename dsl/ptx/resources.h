// SPDX-License-Identifier: Apache-2.0
// What ptxas says a kernel needs: the features by which candidates are ranked and refused before any device
// runs them.
#pragma once
#include <string>
#include <vector>

namespace ks::ptx {

struct Resources {
    std::string kernel; // entry point
    int registers = 0;  // per thread
    int barriers = 0;
    int stack = 0, spill_stores = 0, spill_loads = 0; // bytes of local memory per thread
    int shared = 0; // bytes per block that the text declares; what a launch adds comes on top
    bool operator==(const Resources &o) const;
};

// The report of `ptxas -v`, in its order. Throws ks::Error when a kernel's lines are missing: a format that
// this reader does not know must not read as "no spills".
std::vector<Resources> parse_resources(const std::string &report);

} // namespace ks::ptx
