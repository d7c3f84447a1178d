// SPDX-License-Identifier: Apache-2.0
#include "dsl/ptx/resources.h"
#include "runtime/base/error.h"
#include <regex>
#include <sstream>
#include <tuple>

namespace ks::ptx {

namespace {

// The number in front of `what` in a line such as "Used 34 registers, used 1 barriers, 8192 bytes smem".
int number_before(const std::string &line, const char *what) {
    std::smatch found;
    return std::regex_search(line, found, std::regex("(\\d+) " + std::string(what))) ? std::stoi(found[1])
                                                                                     : 0;
}

} // namespace

bool Resources::operator==(const Resources &o) const {
    auto all = [](const Resources &r) {
        return std::tie(r.kernel, r.registers, r.barriers, r.stack, r.spill_stores, r.spill_loads, r.shared);
    };
    return all(*this) == all(o);
}

std::vector<Resources> parse_resources(const std::string &report) {
    const std::regex entry("Compiling entry function '([^']+)'");
    std::vector<Resources> kernels;
    bool has_stack = true, has_registers = true; // of the last kernel
    auto check_last = [&] {
        if (!has_stack || !has_registers)
            throw Error("ptxas", "reports no registers or no stack for " + kernels.back().kernel);
    };
    std::istringstream lines(report);
    std::smatch found;
    for (std::string line; std::getline(lines, line);) {
        if (std::regex_search(line, found, entry)) {
            check_last();
            kernels.push_back({});
            kernels.back().kernel = found[1];
            has_stack = has_registers = false;
        } else if (!kernels.empty() && line.find("bytes stack frame") != std::string::npos) {
            Resources &k = kernels.back();
            k.stack = number_before(line, "bytes stack frame");
            k.spill_stores = number_before(line, "bytes spill stores");
            k.spill_loads = number_before(line, "bytes spill loads");
            has_stack = true;
        } else if (!kernels.empty() && line.find(": Used ") != std::string::npos) {
            Resources &k = kernels.back();
            k.registers = number_before(line, "registers");
            k.barriers = number_before(line, "barriers");
            k.shared = number_before(line, "bytes smem");
            has_registers = true;
        }
    }
    check_last();
    return kernels;
}

} // namespace ks::ptx
